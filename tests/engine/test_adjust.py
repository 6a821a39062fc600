"""What is made good of a closed period, and the reason that is given."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

from casawatt.engine.adjust import adjustments, rules_for
from casawatt.engine.split import split
from casawatt.model.member import Assignment, Member, Rest, SplitRules
from casawatt.model.split import Amount, Excess, Split, Used

ANNA, BRUNO = Member("anna", "Anna"), Member("bruno", "Bruno")
HEATER = Assignment("heater", "Heater", (("anna", Fraction(1)),))
RULES = SplitRules(Rest.PERSON, (ANNA, BRUNO), (HEATER,))


def march(heater: Sequence[str], rest: Sequence[str], rules: SplitRules = RULES, rate: str = "0.25") -> Split:
    """Return the split of a few days, of kWh a day."""
    price = Fraction(rate)
    days = [date(2026, 3, 1) + timedelta(days=day) for day in range(len(rest))]
    amounts = [[Amount(Fraction(kwh) * price, int(Fraction(kwh) * 10**6)) for kwh in each] for each in (heater, rest)]
    total = sum((each.cost for those in amounts for each in those), Fraction(0))
    none = [Amount(Fraction(0))] * len(days)
    return split(Used(days, "Mains", {"heater": amounts[0]}, [], amounts[1], Excess(none), {}, total), rules, "EUR", 2)


def test_nothing_is_adjusted_when_nothing_changed() -> None:
    assert adjustments(march(["4"], ["8"]), march(["4"], ["8"])) == ()


def test_a_late_reading_is_paid_for_and_named() -> None:
    found = adjustments(march(["4"], ["8"]), march(["5"], ["7"]))
    assert [(each.member, each.units) for each in found] == [("anna", 13), ("bruno", -13)]
    assert found[0].why == (
        "For 2026-03-01 until before 2026-03-02: the own energy of heater is 5.000 kWh, not 4.000 kWh (+0.2500 EUR); "
        "the part of the rest is 3.500 kWh, not 4.000 kWh (-0.1250 EUR)."
    )


def test_a_corrected_price_is_paid_for_and_named() -> None:
    found = adjustments(march(["4"], ["8"]), march(["4"], ["8"], rate="0.26"))
    assert [(each.member, each.units) for each in found] == [("anna", 8), ("bruno", 4)]
    assert found[1].why.endswith("the part of the rest costs 1.0400 EUR, not 1.0000 EUR (+0.0400 EUR).")


def test_what_is_left_out_of_many_differences_is_counted() -> None:
    for count, said in (
        (3, "; 1 smaller difference (0.0100 EUR)."),
        (4, "; 2 smaller differences (0.0300 EUR together)."),
    ):
        owned = tuple(Assignment(f"m{each}", f"M{each}", (("anna", Fraction(1)),)) for each in range(count))
        rules = SplitRules(Rest.PERSON, (ANNA,), owned)
        closed, now = (of_many(count, rules, Fraction(rate)) for rate in ("0.25", "0.26"))
        (found,) = adjustments(closed, now)
        assert found.why.endswith(said), found.why


def of_many(count: int, rules: SplitRules, price: Fraction) -> Split:
    """Return the split of a day on which the first meter used 1 kWh, each other one more, and the rest 9 kWh."""
    used = {f"m{each}": [Amount((each + 1) * price, (each + 1) * 10**6)] for each in range(count)}
    rest = [Amount(9 * price, 9 * 10**6)]
    total = sum((each.cost for amounts in (*used.values(), rest) for each in amounts), Fraction(0))
    days, none = [date(2026, 3, 1)], Excess([Amount(Fraction(0))])
    return split(Used(days, "Mains", used, [], rest, none, {}, total), rules, "EUR", 2)


def test_a_day_of_leaving_that_was_told_late_corrects_the_past() -> None:
    closed = march(["0", "0"], ["8", "8"])
    left = SplitRules(Rest.PERSON, (ANNA, Member("bruno", "Bruno", left=date(2026, 3, 1))), (HEATER,))
    found = adjustments(closed, march(["0", "0"], ["8", "8"], rules_for(closed, left)))
    assert [(each.member, each.units) for each in found] == [("anna", 100), ("bruno", -100)]
    assert "the last day of Bruno is 2026-03-01, not open" in found[0].why
    assert "the last day of the member is 2026-03-01, not open" in found[1].why


def test_another_rule_or_owner_means_the_time_to_come_and_not_what_is_closed() -> None:
    closed = march(["4"], ["8"])
    mine = Assignment("heater", "Heater", (("bruno", Fraction(1)),))
    other = SplitRules(Rest.SHARES, (Member("anna", "Anna", share=Fraction(3)), BRUNO), (mine,))
    assert rules_for(closed, other) == RULES
    assert rules_for(closed, SplitRules(Rest.PERSON, (BRUNO,))) == RULES


def test_a_member_who_was_forgotten_takes_part_and_is_named() -> None:
    closed = march(["0"], ["12"])
    carla = Member("carla", "Carla")
    rules = rules_for(closed, SplitRules(Rest.PERSON, (carla, ANNA, BRUNO)))
    found = adjustments(closed, march(["0"], ["12"], rules))
    assert [(each.member, each.units) for each in found] == [("anna", -50), ("bruno", -50), ("carla", 100)]
    assert "Carla is a member of that time too" in found[0].why
