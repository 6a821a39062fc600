"""Dividing a bill: figures by hand."""

from datetime import date, timedelta
from fractions import Fraction

from casawatt.engine.split import split
from casawatt.model.member import Assignment, Member, Rest, SplitRules
from casawatt.model.split import Amount, ClaimedRun, Excess, LineKind, Split, Used

FIRST = date(2026, 4, 1)
ANNA = Member("anna", "Anna", room_m2=Fraction(14), share=Fraction(2))
BRUNO = Member("bruno", "Bruno", joined=date(2026, 4, 3), room_m2=Fraction(10))
CARLA = Member("carla", "Carla", left=date(2026, 4, 2), room_m2=Fraction(16))


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=day) for day in range(count)]


def euros(*texts: str) -> list[Amount]:
    """Return amounts at 0.25 EUR/kWh."""
    return [Amount(Fraction(text), int(Fraction(text) * 4_000_000)) for text in texts]


def none(count: int) -> list[Amount]:
    return [Amount(Fraction(0))] * count


def used(
    unmetered: list[Amount],
    *,
    meters: dict[str, list[Amount]] | None = None,
    runs: list[ClaimedRun] | None = None,
    excess: Excess | None = None,
    charges: dict[str, list[Fraction]] | None = None,
) -> Used:
    count = len(unmetered)
    meters, runs, charges, excess = meters or {}, runs or [], charges or {}, excess or Excess(none(count))
    amounts = [
        *unmetered,
        *excess.by_day,
        *(run.amount for run in runs),
        *(each for m in meters.values() for each in m),
    ]
    total = sum((each.cost for each in amounts), Fraction(0)) + sum(
        (cost for by_day in charges.values() for cost in by_day), Fraction(0)
    )
    return Used(days(count), "Mains", meters, runs, unmetered, excess, charges, total)


def shared(what: Used, *members: Member, rest: Rest = Rest.PERSON, assignments: tuple[Assignment, ...] = ()) -> Split:
    return split(what, SplitRules(rest, members, assignments), "EUR", 2)


def owed(found: Split) -> dict[str, int]:
    return {each.member: each.units for each in found.members}


def why(found: Split, member: str, kind: LineKind) -> str:
    lines = next(each.lines for each in found.members if each.member == member)
    (line,) = (each for each in lines if each.kind is kind)
    return line.why


FOUR_DAYS = euros("1", "1", "2", "2")


def test_by_person_each_day_is_shared_by_those_who_are_present_that_day() -> None:
    found = shared(used(FOUR_DAYS), ANNA, BRUNO, CARLA)
    assert owed(found) == {"anna": 300, "bruno": 200, "carla": 100}
    assert why(found, "anna", LineKind.REST) == (
        "All that was used: 24.000 kWh at the price of each quarter-hour, 6.0000 EUR; "
        "1 of 2 persons of 2.0000 EUR on 2 days and 1 of 2 persons of 4.0000 EUR on 2 days."
    )


def test_by_days_the_whole_is_shared_by_the_days_of_each() -> None:
    found = shared(used(FOUR_DAYS), ANNA, BRUNO, CARLA, rest=Rest.DAYS)
    assert owed(found) == {"anna": 300, "bruno": 150, "carla": 150}
    assert why(found, "carla", LineKind.REST).endswith("6.0000 EUR; 2 of 8 days present of 6.0000 EUR.")


def test_by_room_the_sizes_of_those_present_count() -> None:
    found = shared(used(FOUR_DAYS), ANNA, BRUNO, CARLA, rest=Rest.ROOM)
    # 2 EUR among 14 and 16 m2, 4 EUR among 14 and 10 m2: 0.9333 + 2.3333, 1.6667, 1.0667; each lost 2/3 of a cent
    assert owed(found) == {"anna": 327, "bruno": 167, "carla": 106}
    assert "14 of 30 m2 of 2.0000 EUR on 2 days" in why(found, "anna", LineKind.REST)


def test_by_shares_fixed_shares_of_those_present_count() -> None:
    found = shared(used(FOUR_DAYS), ANNA, BRUNO, CARLA, rest=Rest.SHARES)
    assert owed(found) == {"anna": 400, "bruno": 133, "carla": 67}


def test_charges_are_shared_like_the_rest_and_named() -> None:
    found = shared(used(none(4), charges={"Fixed charge": [Fraction(1, 2)] * 4}), ANNA, BRUNO)
    assert owed(found) == {"anna": 150, "bruno": 50}
    assert why(found, "bruno", LineKind.FIXED) == "Fixed charge: 2.0000 EUR; 1 of 2 persons of 1.0000 EUR on 2 days."
    assert found.members[0].lines[0].energy_mwh is None


def test_what_a_meter_used_is_its_owners_on_the_days_that_they_are_there() -> None:
    mine = Assignment("heater", "Heater", (("carla", Fraction(1)),))
    found = shared(used(none(4), meters={"heater": FOUR_DAYS}), ANNA, BRUNO, CARLA, assignments=(mine,))
    assert owed(found) == {"anna": 200, "bruno": 200, "carla": 200}
    assert why(found, "carla", LineKind.OWNED) == (
        "Heater, which is Carla's: 8.000 kWh at the price of each quarter-hour, 2.0000 EUR. "
        "What it used on 2 days without Carla is part of the rest."
    )
    assert why(found, "bruno", LineKind.ABSENT) == (
        "Heater, on 2 days without Carla: 16.000 kWh at the price of each quarter-hour, 4.0000 EUR; "
        "1 of 2 persons of 4.0000 EUR on 2 days."
    )


def test_shares_of_a_meter_are_among_those_present_who_have_any() -> None:
    ours = Assignment("freezer", "Freezer", (("bruno", Fraction(2)), ("carla", Fraction(1))))
    found = shared(used(none(4), meters={"freezer": FOUR_DAYS}), ANNA, BRUNO, CARLA, assignments=(ours,))
    assert owed(found) == {"anna": 0, "bruno": 400, "carla": 200}
    both = shared(
        used(none(4), meters={"freezer": FOUR_DAYS}), ANNA, Member("bruno", "Bruno"), CARLA, assignments=(ours,)
    )
    assert owed(both) == {"anna": 0, "bruno": 533, "carla": 67}
    assert why(both, "bruno", LineKind.SHARED) == (
        "Freezer, shared as Bruno 2, Carla 1: 24.000 kWh at the price of each quarter-hour, 6.0000 EUR; "
        "2 of 3 shares of 2.0000 EUR on 2 days and all of 4.0000 EUR on 2 days."
    )


def test_a_run_is_whoever_claimed_it_and_what_nobody_claimed_is_the_rest() -> None:
    washer = Assignment("washer", "Washer", claimed=True)
    run = ClaimedRun("washer", "anna", 5, 1, "on 2026-04-02 from 18:05 to 19:40", Amount(Fraction("0.6"), 2_400_000))
    found = shared(
        used(none(2), meters={"washer": euros("0.1", "0.1")}, runs=[run]), ANNA, CARLA, assignments=(washer,)
    )
    assert owed(found) == {"anna": 70, "carla": 10}
    assert why(found, "anna", LineKind.CLAIMED) == (
        "Washer on 2026-04-02 from 18:05 to 19:40, claimed by Anna: "
        "2.400 kWh at the price of each quarter-hour, 0.6000 EUR."
    )
    assert "what nobody claimed" in why(found, "carla", LineKind.UNCLAIMED)


def test_a_run_claimed_by_one_who_was_away_that_day_goes_with_the_rest_and_that_is_said() -> None:
    washer = Assignment("washer", "Washer", claimed=True)
    run = ClaimedRun("washer", "bruno", 5, 1, "on 2026-04-02 from 18:05 to 19:40", Amount(Fraction("0.6"), 2_400_000))
    found = shared(used(none(2), meters={"washer": none(2)}, runs=[run]), ANNA, BRUNO, CARLA, assignments=(washer,))
    assert owed(found) == {"anna": 30, "carla": 30}
    (note,) = found.notes
    assert note == (
        "Washer on 2026-04-02 from 18:05 to 19:40 is claimed by Bruno, "
        "who was not present that day: it is part of the rest."
    )


def test_meters_that_say_more_than_the_mains_are_given_back_in_a_line_with_the_cause() -> None:
    mine = Assignment("heater", "Heater", (("anna", Fraction(1)),))
    excess = Excess(euros("-0.2", "0"), quarters=3, gaps=1)
    found = shared(
        used(euros("0", "1"), meters={"heater": euros("1", "1")}, excess=excess), ANNA, CARLA, assignments=(mine,)
    )
    assert (found.units, owed(found)) == (280, {"anna": 240, "carla": 40})
    assert why(found, "carla", LineKind.EXCESS) == (
        "What members' meters said beyond Mains in 3 quarter-hours, charged there and given back here "
        "(in 1 of them Mains was not measured throughout): -0.800 kWh at the price of each quarter-hour, -0.2000 EUR; "
        "1 of 2 persons of -0.2000 EUR."
    )


def test_a_day_without_anybody_is_shared_by_all_of_the_period() -> None:
    early = Member("anna", "Anna", left=date(2026, 4, 1))
    late = Member("bruno", "Bruno", joined=date(2026, 4, 3))
    never = Member("carla", "Carla", left=date(2026, 3, 1))
    assert owed(shared(used(euros("1", "1", "1")), early, late, never)) == {"anna": 150, "bruno": 150}


def test_a_period_without_anybody_is_shared_by_all_members() -> None:
    gone = (Member("anna", "Anna", left=date(2026, 3, 1)), Member("carla", "Carla", left=date(2026, 3, 1)))
    for rest in Rest:
        assert owed(shared(used(euros("1", "1")), *gone, rest=rest)) == {"anna": 100, "carla": 100}


def test_the_odd_cent_goes_to_whom_rounding_took_most_and_then_to_the_first_by_slug() -> None:
    three = [Member(slug, slug) for slug in ("carla", "anna", "bruno")]
    assert owed(shared(used(euros("1")), *three)) == {"anna": 34, "bruno": 33, "carla": 33}
    assert owed(shared(used(euros("-1")), *three)) == {"anna": -33, "bruno": -33, "carla": -34}
