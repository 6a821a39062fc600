"""Values and ports: what the rest of casawatt speaks about. No I/O, no clock."""
