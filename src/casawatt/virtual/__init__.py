"""Virtual devices that speak the real protocols, for the demo home and the tests."""
