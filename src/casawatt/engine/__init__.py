"""Pure arithmetic on recorded readings: no clock, no socket, no file."""
