"""Who owes what: asked, closed, and adjusted afterwards."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from casawatt.model.errors import BillError, LedgerError, RegistryError, UnknownDecisionError, UnknownMemberError
from casawatt.model.reading import Reading
from casawatt.model.split import LineKind, Statement
from tests.answers.flat import CONFIG, Flat, Span, at, flat_in

MARCH = date(2026, 3, 1), date(2026, 4, 1)
APRIL = date(2026, 4, 1), date(2026, 5, 1)
MAY = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def flat(tmp_path: Path) -> Iterator[Flat]:
    with flat_in(tmp_path) as flat:
        use(flat)
        yield flat


def use(flat: Flat) -> None:
    """Let the flat use 20 kWh at 0.25 on two days of March."""
    flat.used("mains", at_0310_1800=8, at_0310_1815=4, at_0320_0700=8)
    flat.used("heater", at_0310_1800=2)
    flat.used("freezer", at_0310_1800=0.75, at_0320_0700=0.75)
    flat.used("washer", at_0310_1800=0.5, at_0310_1815=0.5, at_0320_0700=1)


def owed(statement: Statement) -> dict[str, int]:
    return {each.member: statement.units_of(each.member) for each in statement.split.members}


def lines(statement: Statement, member: str) -> dict[LineKind, Fraction]:
    found = next(each.lines for each in statement.split.members if each.member == member)
    return {each.kind: each.amount for each in found}


def test_a_month_is_divided_by_meters_presence_and_the_rest(flat: Flat) -> None:
    found = flat.splits.statement(*MARCH)
    # Anna: heater 0.50, a third of the freezer's 0.375; rest of the 10th: 12 - 2 - 0.75 kWh at 0.25, by three;
    # of the 20th: 8 - 0.75 kWh by two; 12 days of 0.10 and 19 of 0.15 of the fixed charge.
    assert lines(found, "anna") == {
        LineKind.OWNED: Fraction("0.5"),
        LineKind.SHARED: Fraction("0.125"),
        LineKind.UNCLAIMED: Fraction("0.25") / 3 + Fraction("0.25") / 2,
        LineKind.REST: Fraction("8.25") / 12 + Fraction("6.25") / 8,
        LineKind.FIXED: Fraction("4.05"),
    }
    assert LineKind.SHARED not in lines(found, "bruno")
    assert found.split.units == 1430
    assert sum(owed(found).values()) == 1430
    assert (found.closed_ms, found.adjustments) == (None, ())


def test_a_claimed_run_is_paid_by_whoever_claims_it_until_that_is_taken_back(flat: Flat) -> None:
    flat.runs = [Span(at("2026-03-10T18:00"), at("2026-03-10T18:30"))]
    before = flat.splits.statement(*MARCH)
    claimed = flat.claims.claim("washer", at("2026-03-10T18:10"), "carla")
    assert claimed.run == (at("2026-03-10T18:00"), at("2026-03-10T18:30"))
    found = flat.splits.statement(*MARCH)
    assert lines(found, "carla")[LineKind.CLAIMED] == Fraction("0.25")
    assert lines(found, "bruno").get(LineKind.UNCLAIMED) is None
    assert found.split.units == before.split.units
    flat.claims.undo(claimed.claim.claim_id)
    assert flat.splits.statement(*MARCH) == before
    with pytest.raises(UnknownDecisionError):
        flat.claims.undo(claimed.claim.claim_id)


def test_a_claim_stays_with_a_run_that_late_readings_move(flat: Flat) -> None:
    flat.runs = [Span(at("2026-03-10T18:00"), None)]
    flat.clock.time_ms = at("2026-03-10T18:05")
    flat.claims.claim("washer", at("2026-03-10T18:03"), "carla")
    flat.runs = [Span(at("2026-03-10T18:02"), at("2026-03-10T18:30"))]
    (claimed,) = flat.claims.list(0, at("2026-04-01"))
    assert (claimed.meter, claimed.run) == ("washer", (flat.runs[0].start_ms, flat.runs[0].end_ms))
    assert LineKind.CLAIMED in lines(flat.splits.statement(*MARCH), "carla")


def test_of_the_quarter_hours_in_which_a_run_begins_and_ends_it_has_its_own_part(flat: Flat) -> None:
    start_ms, end_ms = at("2026-03-21T10:05"), at("2026-03-21T10:40")
    for time_ms in range(start_ms - 600_000, end_ms + 600_001, 10_000):
        power_w = 1200.0 if start_ms <= time_ms < end_ms else 60.0
        said = Reading(source="ecms_udp", address="a3", received_ms=time_ms, time_ms=time_ms, power_w=power_w)
        flat.home.recorder.put(said)
    flat.home.recorder.settle()
    flat.runs = [Span(start_ms, end_ms)]
    flat.claims.claim("washer", start_ms, "anna")
    (run,) = (each for each in flat.splits.statement(*MARCH).split.members[0].lines if each.kind is LineKind.CLAIMED)
    assert run.energy_mwh is not None
    assert abs(run.energy_mwh - 700_000) < 2_000  # 1.2 kW for 35 minutes; the edges are drawn between two readings
    assert run.amount == run.energy_mwh / 4_000_000
    assert "Washer on 2026-03-21 from 10:05 to 10:40, claimed by Anna: 0.698 kWh" in run.why


def test_where_the_mains_itself_is_somebodys_all_else_is_behind_it(tmp_path: Path) -> None:
    text = CONFIG.replace('address = "a0"', 'address = "a0"\nowner = "bruno"').replace('parent = "mains"\n', "")
    with flat_in(tmp_path, text) as flat:
        use(flat)
        rules = flat.splits._household.rules(flat.home.registry.meters(), "mains")
        assert {each.meter: each.within for each in rules.assignments} == {
            "mains": None,
            "heater": "mains",
            "freezer": "mains",
            "washer": "mains",
        }
        found = flat.splits.statement(*MARCH)
        assert lines(found, "bruno")[LineKind.OWNED] == (12 - 2 - Fraction("0.75") - 1) * Fraction("0.25")
        assert LineKind.EXCESS not in lines(found, "bruno")


def test_what_cannot_be_claimed_says_why(flat: Flat) -> None:
    flat.runs = [Span(at("2026-03-20T07:00"), at("2026-03-20T07:15"))]
    with pytest.raises(UnknownMemberError, match="there is no member 'dora'; there are: anna, bruno, carla"):
        flat.claims.claim("washer", at("2026-03-20T07:00"), "dora")
    with pytest.raises(RegistryError, match="Bruno was not present on 2026-03-20, when that run began"):
        flat.claims.claim("washer", at("2026-03-20T07:00"), "bruno")
    with pytest.raises(RegistryError, match="washer was not running then"):
        flat.claims.claim("washer", at("2026-03-20T07:15"), "anna")
    with pytest.raises(RegistryError, match=r"\[meter.freezer\] needs claimed = true"):
        flat.claims.claim("freezer", at("2026-03-20T07:00"), "anna")


def test_a_closed_month_stays_as_it_was_told_and_the_next_one_makes_good(tmp_path: Path) -> None:
    with flat_in(tmp_path) as flat:
        use(flat)
        flat.runs = [Span(at("2026-03-10T18:00"), at("2026-03-10T18:30"))]
        closed = flat.splits.close(*MARCH)
        assert closed.closed_ms == flat.clock.time_ms
        flat.used("heater", at_0310_1800=2, at_0320_0700=4)
        flat.claims.claim("washer", at("2026-03-10T18:10"), "carla")
        assert flat.splits.statement(*MARCH) == closed
        april = flat.splits.statement(*APRIL)
    with flat_in(tmp_path, now="2026-05-02T12:00") as flat:
        use(flat)
        flat.used("heater", at_0310_1800=2, at_0320_0700=4)
        flat.runs = [Span(at("2026-03-10T18:00"), at("2026-03-10T18:30"))]
        assert flat.splits.statement(*MARCH) == closed
        again = flat.splits.close(*APRIL)
        assert (again.split, again.adjustments) == (april.split, april.adjustments)
        # Anna: the heater's 4 kWh more, half of them less in the rest; a third of the washer's run less
        assert again.adjustments[0].units in {41, 42, 43}
        assert sum(each.units for each in again.adjustments) == again.adjustment_units == 0
        assert again.total_units == again.split.units == 900
        assert "For 2026-03-01 until before 2026-04-01: the own energy of heater is 6.000 kWh, not 2.000 kWh" in (
            again.adjustments[0].why
        )
        assert flat.splits.statement(*MAY).adjustments == ()
        flat.reprice(rate_per_kwh="0.5", fixed_per_day="0.3")
        may = flat.splits.statement(*MAY)
        now = flat.splits._split(*MARCH, closed.split.rules)
        for each in now.members:
            told = closed.units_of(each.member) + sum(
                adjustment.units
                for statement in (again, may)
                for adjustment in statement.adjustments
                if adjustment.member == each.member
            )
            assert told == each.units
        assert may.adjustment_units == now.units - closed.split.units == 500


def test_periods_are_closed_one_after_the_other_when_they_are_over(flat: Flat) -> None:
    with pytest.raises(LedgerError, match="2026-04-01 until before 2026-05-01 cannot be closed yet: it is not over"):
        flat.splits.close(*APRIL)
    flat.splits.close(*MARCH)
    flat.clock.time_ms = at("2026-07-01")
    with pytest.raises(LedgerError, match="2026-03-01 until before 2026-04-01 is closed already"):
        flat.splits.close(*MARCH)
    with pytest.raises(LedgerError, match="everything until before 2026-04-01 is closed already"):
        flat.splits.close(date(2026, 3, 15), date(2026, 4, 15))
    with pytest.raises(LedgerError, match="everything until before 2026-04-01 is closed already"):
        flat.splits.close(date(2026, 1, 1), date(2026, 2, 1))
    with pytest.raises(LedgerError, match="before 2026-04-01 until before 2026-05-01 is: no day may be left out"):
        flat.splits.close(*MAY)
    assert flat.splits.next_period() == APRIL
    flat.splits.close(*APRIL)
    assert [each.split.start for each in flat.splits.closed()] == [MARCH[0], APRIL[0]]


def test_rules_that_are_changed_in_the_config_mean_the_time_to_come(tmp_path: Path) -> None:
    with flat_in(tmp_path) as flat:
        use(flat)
        closed = flat.splits.close(*MARCH)
    text = CONFIG.replace('owner = "anna"', 'owner = "carla"').replace('rest = "person"', 'rest = "days"')
    with flat_in(tmp_path, text) as flat:
        use(flat)
        assert flat.splits.statement(*MARCH) == closed
        assert flat.splits.statement(*APRIL).adjustments == ()
    with flat_in(tmp_path, text.replace("2026-03-12", "2026-03-31")) as flat:
        use(flat)
        april = flat.splits.statement(*APRIL)
        assert [each.member for each in april.adjustments] == ["anna", "bruno", "carla"]
        assert april.adjustment_units == 0
        assert "the last day of Bruno is 2026-03-31, not 2026-03-12" in april.adjustments[0].why


def test_a_bill_that_the_mains_measured_in_part_says_so(flat: Flat) -> None:
    (note,) = flat.splits.statement(*MARCH).split.notes
    assert note.startswith("Mains was not measured for 742.3 hours of these days")


def test_a_period_without_a_tariff_is_not_split_and_one_with_a_part_of_it_is_not_closed(flat: Flat) -> None:
    flat.reprice(rate_per_kwh="0.25", from_=date(2026, 3, 15))
    with pytest.raises(BillError, match="the first tariff holds from 2026-03-15 on"):
        flat.splits.statement(date(2026, 2, 1), date(2026, 3, 1))
    assert flat.splits.statement(*MARCH).split.notes[-1].startswith("No tariff holds on 14 days")
    with pytest.raises(LedgerError, match="2026-03-01 until before 2026-04-01: No tariff holds on 14 days"):
        flat.splits.close(*MARCH)


def test_charges_that_no_quarter_hour_has_are_shared_with_their_vat(flat: Flat) -> None:
    flat.reprice(
        rate_per_kwh="0.25", fixed_per_month="6.2", power_per_kw_year="36.5", contracted_w="3000", vat_percent="10"
    )
    found = flat.splits.statement(*MARCH)
    fixed = {line.subject: line for line in found.split.members[1].lines if line.kind is LineKind.FIXED}
    assert fixed["Fixed charge with VAT"].amount == Fraction("6.82") * 12 / 31 / 3
    assert fixed["Contracted power with VAT"].amount == 3 * 31 * Fraction("0.11") * 12 / 31 / 3
    assert found.split.amount == Fraction("5.5") + Fraction("6.82") + Fraction("10.23")


def test_a_home_without_members_says_what_to_write(tmp_path: Path) -> None:
    with (
        flat_in(tmp_path, '[source.ecms_udp]\n[meter.mains]\nsource = "ecms_udp"\naddress = "a0"\n') as flat,
        pytest.raises(LedgerError, match=r"there are no members .* write a section \[member.<name>\]"),
    ):
        flat.splits.statement(*MARCH)
