"""Formats of recorded readings: pure parsers from lines to values, and the excerpts that come with casawatt."""
