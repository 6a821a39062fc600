"""A month of a real house through the limiter, against a reckoning second by second that knows nothing of the engine.

`PlainLimiter` alone says what is to be warned of: whenever it acts, there was a warning since the tier that it acts for
began to count; and a warning has a cause if the limiter acts when the power stays as it is at that moment.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from benchmarks.breaker import RECORDING, Powers, episodes, powers_of, replay
from casawatt.engine.limiter import Kind, Said
from casawatt.model.supply import PRESETS, limiter_of
from tests.engine.plain_limiter import PlainLimiter, italy

LONGEST_S = 10_800
PAUSE_S = 60
"""A count that pauses for less is the same one: the warning that came before still stands."""

PAGE = Path(__file__).parents[2] / "docs" / "breaker.md"


@dataclass(slots=True)
class Stretch:
    """Since when a tier has been counting without a pause, in seconds since 1970, and whether the limiter has acted."""

    since_s: int
    last_s: int
    acted: bool = False


@dataclass(slots=True)
class Plainly:
    """When the limiter acts, and of each stretch in which it does when that began, when it first acts, and its tier.

    `baseless`: the warnings after which it would not act when they said.
    """

    acts_s: list[int] = field(default_factory=list)
    first: list[tuple[int, int, int]] = field(default_factory=list)
    baseless: list[Said] = field(default_factory=list)


@pytest.fixture(scope="module")
def powers(pytestconfig: pytest.Config) -> Powers:
    return powers_of(pytestconfig.getoption("--data") / RECORDING)


def plainly(powers: Powers, contracted_w: int, warnings: Sequence[Said]) -> Plainly:
    """Go through the recording second by second, and see what would come of the power at each warning."""
    found, plain = Plainly(), PlainLimiter(italy(contracted_w))
    stretches = [Stretch(-PAUSE_S, -PAUSE_S) for _ in plain.tiers]
    waiting = {each.time_ms // 1000: each for each in warnings}
    assert len(waiting) == len(warnings)
    for (time_ms, power_mw), (next_ms, _) in pairwise(powers):
        power_w = power_mw / 1000
        for second in range(time_ms // 1000, next_ms // 1000):
            if (warning := waiting.get(second)) is not None and not has_cause(plain, warning):
                found.baseless.append(warning)
            for number, (above_w, _, _) in enumerate(plain.tiers):
                if power_w > above_w or plain.averages[number] is not None:
                    if second - stretches[number].last_s > PAUSE_S:
                        stretches[number] = Stretch(second, second)
                    stretches[number].last_s = second
            acting = plain.second(power_w)
            found.acts_s += [second + 1] if acting else []
            for number in acting:
                if not stretches[number].acted:
                    found.first.append((stretches[number].since_s, second + 1, number))
                stretches[number].acted = True
    return found


def has_cause(plain: PlainLimiter, warning: Said) -> bool:
    """Say whether the limiter acts exactly when a warning says so, if the power stays as it is."""
    assert warning.trip_in_ms is not None
    left_s = plain.seconds_left(warning.power_mw / 1000, LONGEST_S)
    return left_s is not None and left_s * 1000 == warning.trip_in_ms + warning.time_ms % 1000


def table() -> dict[int, list[str]]:
    """Return the rows of the page's table by the contracted W."""
    rows = re.findall(r"^\| ([\d.]+) kW \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return {round(float(kw) * 1000): [cell.strip() for cell in rest.split("|")] for kw, rest in rows}


@pytest.mark.parametrize("contracted_w", [3000, 4500, 6000])
def test_whatever_would_have_switched_the_house_off_is_warned_of_before(powers: Powers, contracted_w: int) -> None:
    said = replay(powers, limiter_of(PRESETS["italy"], contracted_w))
    warnings = [each for each in said if each.kind is Kind.WARNING]
    found = plainly(powers, contracted_w, warnings)
    assert [each.time_ms // 1000 for each in said if each.kind is Kind.DUE] == found.acts_s
    assert found.baseless == []
    leads_s = []
    for since_s, acts_s, tier in found.first:
        times_s = [each.time_ms / 1000 for each in warnings if each.tier == tier]
        before_s = [each for each in times_s if since_s <= each < acts_s]
        assert before_s, f"at {acts_s} the house is switched off without a warning"
        leads_s.append(acts_s - before_s[0])
    told = episodes(said)
    acted = [each for each in told if each.trip_ms is not None]
    assert len([each for each in acted if each.lead_s is not None]) == len(acted)
    counts = len(told), len(acted), len(found.first), len(leads_s)
    row = [*counts, *lead_cells(leads_s), len(warnings), len(found.baseless)]
    assert [str(each) for each in row] == table()[contracted_w]


def lead_cells(leads_s: Sequence[float]) -> tuple[str, str]:
    return (f"{median(leads_s):.0f} s", f"{min(leads_s):.0f} s") if leads_s else ("", "")
