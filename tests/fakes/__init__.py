"""Stand-ins for the other side of a port, for the tests of those who speak to it."""
