"""The worked example of docs/split.md gives the figures that stand there."""

import re
from datetime import date
from fractions import Fraction
from pathlib import Path

from casawatt.model.interval import INTERVAL_MS, Interval
from casawatt.model.money import as_money, plain
from casawatt.model.split import LineKind, Statement
from tests.answers.flat import Flat, Span, at, flat_in

PAGE = (Path(__file__).parents[2] / "docs" / "split.md").read_text()
EXAMPLE = PAGE.partition("## A worked example")[2]
CONFIG = EXAMPLE.partition("```toml\n")[2].partition("```")[0]
MEMBERS = ("anna", "bruno", "carla")
MARCH = date(2026, 3, 1), date(2026, 4, 1)
APRIL = date(2026, 4, 1), date(2026, 5, 1)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables whose first row begins so, without that row."""
    table = EXAMPLE.partition(f"\n{heading}")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def use(flat: Flat) -> None:
    """Let the flat use what the page says, and claim the runs."""
    used: dict[str, dict[int, int]] = {"mains": {}}
    for meter, days, start, end, kwh, member in rows("| meter | days"):
        first, last = (int(day) for day in days.split(" to "))
        for day in range(first, last + 1):
            until = (
                f"2026-03-{day:02d}T{end}"
                if end != "24:00"
                else f"2026-{'03' if day < 31 else '04'}-{day % 31 + 1:02d}"
            )
            span = Span(at(f"2026-03-{day:02d}T{start}"), at(until))
            for each in {meter.strip("`"), "mains"}:
                add(used.setdefault(each, {}), span, kwh)
        if member:
            flat.runs.append(span)
            put(flat, used)
            flat.claims.claim("washer", span.start_ms, member.strip("`"))
    put(flat, used)


def add(used: dict[int, int], span: Span, kwh: str) -> None:
    """Let every quarter-hour of a span have used so much more."""
    assert span.end_ms is not None
    for time_ms in range(span.start_ms, span.end_ms, INTERVAL_MS):
        used[time_ms] = used.get(time_ms, 0) + int(Fraction(kwh) * 1_000_000)


def put(flat: Flat, used: dict[str, dict[int, int]]) -> None:
    for meter, quarters in used.items():
        intervals = [Interval(time_ms, energy, INTERVAL_MS, 0, 0, 1) for time_ms, energy in sorted(quarters.items())]
        flat.home.store.put_intervals(flat.home.registry.meter(meter).meter_id, intervals, [])


def exact(statement: Statement, kind: str) -> list[str]:
    """Return what each member pays of a kind, and what that is together, as the page writes it."""
    found = [
        sum((line.amount for line in owed.lines if line.kind == kind), Fraction(0)) for owed in statement.split.members
    ]
    return [plain(each) if each else "" for each in (*found, sum(found, Fraction(0)))]


def test_the_worked_example_is_right_line_by_line_and_so_is_its_adjustment(tmp_path: Path) -> None:
    with flat_in(tmp_path, "[source.ecms_udp]\n" + CONFIG, now="2026-04-01T00:00") as flat:
        use(flat)
        closed = flat.splits.close(*MARCH)
        split = closed.split
        assert split.notes == ()
        *kinds, whole, owes = rows("| | Anna | Bruno | Carla | bill |")
        for first, *amounts in kinds:
            assert exact(closed, first.split("`")[1]) == amounts
        assert {line.kind for owed in split.members for line in owed.lines} == {
            LineKind(first.split("`")[1]) for first, *_ in kinds
        }
        assert [plain(owed.amount) for owed in split.members] + [plain(split.amount)] == whole[1:]
        assert [str(as_money(units, 2)) for units in (*(owed.units for owed in split.members), split.units)] == owes[1:]
        freezer = next(line for line in split.members[0].lines if line.kind is LineKind.SHARED)
        assert f"> {freezer.why}\n" in EXAMPLE
        late = re.search(r"on (\d) March it used another 2 kWh from (..:..) to (..:..)", EXAMPLE)
        assert late
        heater = {each.start_ms: each.energy_mwh for each in flat.home.store.intervals(2, 0, at("2026-04-01"))}
        add(heater, Span(at(f"2026-03-0{late[1]}T{late[2]}"), at(f"2026-03-0{late[1]}T{late[3]}")), "0.5")
        put(flat, {"heater": heater})
        april = flat.splits.statement(*APRIL)
        ((_, *adjustments),) = rows("| | Anna | Bruno | Carla | together |")
        units = [each.units for each in april.adjustments]
        assert [each.member for each in april.adjustments] == list(MEMBERS)
        assert [str(as_money(each, 2)) for each in (*units, sum(units))] == adjustments
        assert flat.splits.statement(*MARCH) == closed
