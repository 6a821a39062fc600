"""The worked example of the docs page comes out as it is written there."""

import re
from pathlib import Path

from casawatt.config import parse
from casawatt.engine import limiter
from casawatt.engine.limiter import START, Said
from casawatt.model.supply import Limiter, Tier

PAGE = (Path(__file__).parents[2] / "docs" / "breaker.md").read_text()


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table of the page with this heading, as they are written."""
    lines = PAGE.splitlines()
    begin = lines.index(heading) + 2
    rows = []
    for line in lines[begin:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def configs() -> list[str]:
    return re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_countdown_and_what_is_said_come_out_as_written() -> None:
    rules = parse(configs()[0], "the page").limiter
    assert rules is not None
    state = START
    said: list[Said] = []
    rows = table("| second | mains W | tier 1 has lasted s | tier 2 has lasted s | acts in s |")
    for second, power_w, *expected in rows:
        state, more = limiter.step(state, int(second) * 1000, int(power_w) * 1000, rules, 60_000)
        said += more
        found = limiter.trip_in_ms(state, rules)
        lasted = [str(each.above_ms // 1000) for each in state.counts]
        assert [*lasted, "" if found is None else str(found[0] // 1000)] == expected
        if second == "100":
            assert f"would have to be {limiter.safe_mw(state, rules) // 1000} W or less" in PAGE
    told = [
        [f"{each.time_ms / 1000:g}", each.kind.value, *(cells(each) if each.kind.value != "normal" else ["", ""])]
        for each in said
    ]
    assert told == table("| second | event | tier | acts in s |")


def cells(said: Said) -> list[str]:
    return [str(said.tier + 1), f"{(said.trip_in_ms or 0) / 1000:g}"]


def test_the_configs_of_the_page_are_valid() -> None:
    _, tiers, alarms = configs()
    assert parse(tiers, "the page").limiter == Limiter((Tier(3_300_000, 1_800_000), Tier(4_000_000, 60_000)))
    assert [each.name for each in parse(alarms, "the page").alarms] == ["much", "oven-left-on", "freezer-off", "night"]
