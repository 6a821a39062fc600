"""casawatt: a home energy monitor whose figures can be trusted with money."""

__version__ = "0.1.0"
