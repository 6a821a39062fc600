"""Devices in the place of real ones, which check what they are sent."""
