"""What holds for every split, whoever lives in the home and whatever was used."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, TypeAlias

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.adjust import adjustments, last_told
from casawatt.engine.largest_remainder import half_up
from casawatt.engine.split import split
from casawatt.model.member import Assignment, Member, Rest, SplitRules
from casawatt.model.split import Amount, ClaimedRun, Excess, Split, Statement, Used

FIRST = date(2026, 3, 1)
SLUGS = ("anna", "bruno", "carla", "dario")
METERS = ("heater", "freezer", "washer")

Case: TypeAlias = tuple[Used, SplitRules, int]

fractions = st.fractions(min_value=-50, max_value=50, max_denominator=10**7)
days_near = st.integers(-4, 12).map(lambda day: FIRST + timedelta(days=day))
weights = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=100)


@st.composite
def members(draw: st.DrawFn) -> tuple[Member, ...]:
    slugs = draw(st.lists(st.sampled_from(SLUGS), min_size=1, unique=True))
    found = []
    for slug in slugs:
        joined, left = draw(st.none() | days_near), draw(st.none() | days_near)
        room, share = draw(st.none() | weights), draw(st.just(Fraction(0)) | weights)
        found.append(Member(slug, slug.title(), joined, left, room, share))
    return tuple(found)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return draw(used()), draw(rules()), draw(st.sampled_from((0, 2, 3)))


@st.composite
def rules(draw: st.DrawFn) -> SplitRules:
    shares = st.dictionaries(st.sampled_from(SLUGS), weights, min_size=1).map(lambda found: tuple(found.items()))
    assignments = [Assignment(meter, meter.title(), draw(shares)) for meter in METERS[:2]]
    assignments.append(Assignment(METERS[2], "Washer", claimed=True))
    return SplitRules(draw(st.sampled_from(Rest)), draw(members()), tuple(draw(st.permutations(assignments))))


@st.composite
def used(draw: st.DrawFn) -> Used:
    count = draw(st.integers(1, 9))
    days = [FIRST + timedelta(days=day) for day in range(count)]
    energies = st.integers(-(10**7), 10**7)
    amounts = st.lists(st.builds(Amount, fractions, energies), min_size=count, max_size=count)
    meters = {meter: draw(amounts) for meter in METERS}
    runs = [
        ClaimedRun(
            "washer", draw(st.sampled_from(SLUGS)), number, draw(st.integers(0, count - 1)), "", draw(amounts)[0]
        )
        for number in range(draw(st.integers(0, 3)))
    ]
    names = draw(st.sampled_from(((), ("Fixed",), ("Power", "Fixed"))))
    charges = {name: [each.cost for each in draw(amounts)] for name in names}
    unmetered, excess = draw(amounts), draw(amounts)
    whole = [*unmetered, *excess, *(run.amount for run in runs), *(each for those in meters.values() for each in those)]
    total = sum((each.cost for each in whole), Fraction(0))
    total += sum((cost for by_day in charges.values() for cost in by_day), Fraction(0))
    return Used(days, "Mains", meters, runs, unmetered, Excess(excess), charges, total)


@given(cases())
def test_what_members_owe_is_the_bill_to_the_last_unit_and_their_lines_add_up(case: Case) -> None:
    what, who, digits = case
    found = split(what, who, "EUR", digits)
    assert found.units == half_up(what.total * 10**digits)
    assert sum(each.units for each in found.members) == found.units
    assert sum(each.amount for each in found.members) == found.amount == what.total
    for owed in found.members:
        assert sum(line.units for line in owed.lines) == owed.units
        assert sum((line.amount for line in owed.lines), Fraction(0)) == owed.amount
        assert abs(owed.amount * 10**digits - owed.units) < 1
        assert all(abs(line.amount * 10**digits - line.units) < 1 and line.why for line in owed.lines)


@given(cases(), st.integers())
def test_no_order_of_members_meters_or_runs_changes_anything(case: Case, seed: int) -> None:
    what, who, digits = case
    chance = random.Random(seed)

    def shuffled(those: Sequence[object]) -> list[Any]:
        return chance.sample(list(those), len(those))

    other_rules = SplitRules(
        who.rest,
        tuple(shuffled(who.members)),
        tuple(msgspec.structs.replace(each, shares=tuple(shuffled(each.shares))) for each in shuffled(who.assignments)),
    )
    meters = dict(shuffled(list(what.meters.items())))
    other = Used(
        what.days,
        what.billed_name,
        meters,
        shuffled(list(what.runs)),
        what.unmetered,
        what.excess,
        dict(shuffled(list(what.charges.items()))),
        what.total,
    )
    assert split(other, other_rules, "EUR", digits) == split(what, who, "EUR", digits)


@given(st.lists(cases(), min_size=2, max_size=4))
def test_what_was_closed_and_all_adjustments_after_it_are_what_would_be_owed_now(several: list[Case]) -> None:
    first, *later = (split(what, who, "EUR", 2) for what, who, _ in several)
    closed: list[Statement] = []
    asked: dict[str, int] = {each.member: each.units for each in first.members}
    bill = first.units
    for now in later:
        found = adjustments(last_told(first, closed), now)
        closed.append(Statement(other_month(now), found, (now,) if found else ()))
        bill += sum(each.units for each in found)
        for each in found:
            assert each.units
            assert each.why
            asked[each.member] = asked.get(each.member, 0) + each.units
        assert bill == now.units
        assert {slug: units for slug, units in asked.items() if units} == {
            each.member: each.units for each in now.members if each.units
        }


def other_month(split_: Split) -> Split:
    return msgspec.structs.replace(split_, start=date(2026, 5, 1), end=date(2026, 6, 1))
