"""One file a device family: what its bytes mean, as readings."""
