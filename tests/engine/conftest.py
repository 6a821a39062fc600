"""Property tests take the same examples each time, and no example is timed."""

from hypothesis import settings

settings.register_profile("engine", deadline=None, derandomize=True, max_examples=80)
settings.load_profile("engine")
