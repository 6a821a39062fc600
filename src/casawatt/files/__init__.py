"""Files in and out: importing other people's readings, exporting the home's own."""
