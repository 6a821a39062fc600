"""The embedded store: one SQLite file and the log of its tail."""
