"""How long a meter spent at which power: a small histogram from which its standby is learned.

Bins are a quarter of their power wide, so that a quantile is known to about a tenth; below 1 W they are even. Old time
counts less and less: all of it is halved when the sum passes 30 days.
"""

Sketch = tuple[int, ...]
"""Milliseconds spent in each bin."""

_EVEN_MW = 250
_EVEN = 4
_PER_OCTAVE = 4
_BINS = 48

EMPTY: Sketch = (0,) * _BINS
FADE_MS = 30 * 86_400_000


def _bin(power_mw: int) -> int:
    """Return the bin of a power: 4 of 250 mW up to 1 W, then 4 for each doubling."""
    steps = power_mw // _EVEN_MW
    if steps < _EVEN:
        return max(steps, 0)
    octave = steps.bit_length() - 3
    return min(_EVEN + octave * _PER_OCTAVE + (steps >> octave) - _PER_OCTAVE, _BINS - 1)


def _middle_mw(number: int) -> int:
    if number < _EVEN:
        return number * _EVEN_MW + _EVEN_MW // 2 if number else 0
    octave, part = divmod(number - _EVEN, _PER_OCTAVE)
    return ((2 * (part + _PER_OCTAVE) + 1) << octave) * _EVEN_MW // 2


def added(sketch: Sketch, power_mw: int, length_ms: int) -> Sketch:
    """Return the sketch with some more time at a power."""
    number = _bin(power_mw)
    grown = (*sketch[:number], sketch[number] + length_ms, *sketch[number + 1 :])
    return grown if sum(grown) < FADE_MS else tuple(each // 2 for each in grown)


def quantile_mw(sketch: Sketch, share_percent: int) -> int | None:
    """Return the power below which it spent a share of the time, to the width of a bin; None without any."""
    total = sum(sketch)
    if not total:
        return None
    passed = 0
    for number, length_ms in enumerate(sketch):
        passed += length_ms
        if passed * 100 >= total * share_percent and length_ms:
            return _middle_mw(number)
    return None


def lowest_mw(sketch: Sketch, least_ms: int) -> int | None:
    """Return the lowest power at which it spent at least `least_ms`; None if there is none."""
    return next((_middle_mw(number) for number, length_ms in enumerate(sketch) if length_ms >= least_ms), None)
