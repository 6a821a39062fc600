"""What a period would have cost: every scenario is a whole bill of the same energy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from casawatt.answers.whatif import WhatIf
from casawatt.app_home import OpenHome
from casawatt.engine.localtime import HOUR_MS, day_start
from casawatt.engine.periods import Period
from casawatt.model.errors import BillError, RegistryError, UnknownMeterError
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.meter import Meter
from casawatt.model.price import Price
from casawatt.model.quarters import Quarters, added
from casawatt.model.reading import Reading
from casawatt.model.whatif import Move, Question, Scenario
from tests.answers.homes import METERS, answers, billed_home, flat, used
from tests.engine.homes_and_bills import ROME, one, steady

TODAY = "2026-11-20"
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
"""With the night on which the clocks go forward, the 29th."""

SPOT = '[prices.spot]\nformat = "awattar"\n[[tariff]]\nfrom = 2026-01-01\nname = "by the hour"\nprices = "spot"\n'


@dataclass(frozen=True, slots=True)
class Span:
    """A run."""

    start_ms: int
    end_ms: int | None


def at(day: int, hour: int, minute: int = 0) -> int:
    """Return UTC ms of a time of March 2026 in Rome, before the 29th."""
    return day_start(ROME, date(2026, 3, day)) + hour * HOUR_MS + minute * 60_000


def washing(*begins_ms: int, hours: int = 2) -> Quarters:
    """Return runs of 500 Wh a quarter-hour."""
    start_ms = np.concatenate(
        [np.arange(each, each + hours * HOUR_MS, INTERVAL_MS, dtype=np.int64) for each in begins_ms]
    )
    return Quarters(start_ms, np.full(len(start_ms), 500_000), np.full(len(start_ms), INTERVAL_MS), start_ms * 0)


def lived_in(home: OpenHome, *begins_ms: int) -> WhatIf:
    """Let the home have used 400 W throughout March, and the washing machine have run for two hours each time."""
    runs = washing(*begins_ms)
    used(home, "washing-machine", runs)
    used(home, "mains", added([steady(*MARCH), runs]))
    whatif = answers(home).whatif

    def spans(meter: Meter, start_ms: int, end_ms: int) -> Sequence[Span]:
        assert meter.slug == "washing-machine"
        return [Span(each, each + 2 * HOUR_MS) for each in begins_ms if start_ms < each + 2 * HOUR_MS and each < end_ms]

    whatif.runs = spans
    return whatif


def hourly(home: OpenHome, cents: Sequence[int], days: int = 31) -> None:
    """Let each hour of March cost so many ct, again and again from the first day's midnight on."""
    start_ms = day_start(ROME, MARCH.start)
    prices = [
        Price(start_ms + place * HOUR_MS, start_ms + (place + 1) * HOUR_MS, Decimal(cents[place % len(cents)]) / 100)
        for place in range(days * 24 - 1)
    ]
    answers(home).prices.record("spot", prices)


def moving(*, shift_ms: int | None = None, within_ms: int | None = None) -> Question:
    start_ms, end_ms = (day_start(ROME, day) for day in MARCH)
    return Question(moves=(Move("washing-machine", start_ms, end_ms, shift_ms, within_ms),))


def shifts(scenario: Scenario) -> list[int]:
    return [run.shift_ms // HOUR_MS for run in scenario.moved]


def test_the_same_energy_by_other_tariffs_is_ranked_by_what_it_saves(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2026-01-01", "0.25"), TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        dear, cheap = one(name="dear", rate_per_kwh="0.5"), one(name="cheap", rate_per_kwh="0.2", fixed_per_day="0.1")
        found = whatif.ask(MARCH, Question(alternatives=((dear,), (cheap,))))
    kwh = Fraction(found.bill.energy_mwh, 1_000_000)
    assert [(each.name, each.difference) for each in found.scenarios] == [
        ("cheap", Fraction("3.1") - kwh * Fraction("0.05")),
        ("dear", kwh / 4),
    ]
    assert {each.bill.energy_mwh for each in found.scenarios} == {found.bill.energy_mwh}
    assert "energy 15.06 EUR less, fixed charges 3.10 EUR more" in found.scenarios[0].reason


def test_an_alternative_holds_for_the_whole_period_and_several_of_a_name_one_after_the_other(tmp_path: Path) -> None:
    text = (
        flat("2026-01-01", "0.25")
        + flat("2030-01-01", "0.5", "later").replace("[[tariff]]", "[[alternative]]")
        + flat("2025-01-01", "0.1", "two").replace("[[tariff]]", "[[alternative]]")
        + flat("2026-03-11", "0.3", "two").replace("[[tariff]]", "[[alternative]]")
    )
    with billed_home(tmp_path, text, TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        found = whatif.ask(MARCH, whatif.usual_question(MARCH))
        amounts = {each.name: each.bill.amount for each in found.scenarios}
        assert amounts["later"] == 2 * found.bill.amount
        first_ten = Fraction("9.6") * 10 + 4
        rest = Fraction(found.bill.energy_mwh, 1_000_000) - first_ten
        assert amounts["two"] == first_ten / 10 + rest * 3 / 10


def test_a_scenario_without_prices_is_last_and_says_so(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2026-01-01", "0.25"), TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        unknown, dear = one(name="unknown", prices="nowhere"), one(name="dear", rate_per_kwh="0.5")
        found = whatif.ask(MARCH, Question(alternatives=((unknown,), (dear,))))
    assert [each.name for each in found.scenarios] == ["dear", "unknown"]
    assert "have no price there, so it is not comparable" in found.scenarios[1].reason


def test_another_power_is_told_with_how_often_power_was_above_it(tmp_path: Path) -> None:
    text = "[supply]\ncontracted_w = 3000\n" + flat("2026-01-01", "0.25") + "power_per_kw_year = 20\n"
    with billed_home(tmp_path, text, TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        question = whatif.usual_question(MARCH)
        assert question.contracted_w == (2500, 3500)
        found = whatif.ask(MARCH, Question(contracted_w=(2000, 2400, 4500)))
    assert [(each.name, each.quarters_above, each.peak_mw) for each in found.scenarios] == [
        ("2000 W", 8, 2_400_000),
        ("2400 W", 0, 2_400_000),
        ("4500 W", 0, 2_400_000),
    ]
    assert found.scenarios[-1].difference == Fraction(15, 10) * 20 * Fraction(31, 365)
    assert "the limiter could have tripped" in found.scenarios[0].reason


def test_with_a_limiter_it_is_told_how_often_another_power_would_have_tripped_it(tmp_path: Path) -> None:
    """2.4 kW for 20 minutes on the 3rd and 4th, for one minute on the 5th: 2 kW bears 2.66 kW for 180 min, 1.5 kW no 2.

    Above 1.33 times 1.5 kW, 1995 W, the limiter acts after 2 minutes.
    """
    text = '[supply]\ncontracted_w = 3000\nlimiter = "italy"\n' + flat("2026-01-01", "0.25")
    with billed_home(tmp_path, text, TODAY) as home:
        start_ms = at(3, 0)
        busy = {at(3, 10): 20, at(4, 10): 20, at(5, 10): 1}
        high_ms = {each + minute * 60_000 for each, minutes in busy.items() for minute in range(minutes)}
        for time_ms in range(start_ms, at(6, 0), 60_000):
            power_w = 2400.0 if time_ms in high_ms else 300.0
            reading = Reading(source="ecms_udp", address="m", received_ms=time_ms, time_ms=time_ms, power_w=power_w)
            home.recorder.put(reading)
        home.recorder.settle()
        found = answers(home).whatif.ask(MARCH, Question(contracted_w=(1500, 2000)))
    assert {each.name: each.trips for each in found.scenarios} == {"1500 W": 2, "2000 W": 0}
    reasons = {each.name: each.reason for each in found.scenarios}
    assert reasons["1500 W"].endswith("the limiter would have tripped 2 times.")
    assert reasons["2000 W"].endswith("the limiter would never have tripped.")


def test_runs_move_to_where_they_cost_least_and_two_never_overlap(tmp_path: Path) -> None:
    """The cheapest hours are those from 2 to 4; both runs of the 3rd of March want them."""
    cents = [30] * 24
    cents[2] = cents[3] = 10
    cents[4] = cents[5] = 20
    with billed_home(tmp_path, SPOT, TODAY) as home:
        whatif = lived_in(home, at(3, 10), at(3, 13), at(5, 2))
        hourly(home, cents)
        found = whatif.ask(MARCH, moving(within_ms=12 * HOUR_MS))
        again = whatif.ask(MARCH, whatif.usual_question(MARCH))
    (scenario,) = found.scenarios
    assert shifts(scenario) == [-8, -9]
    assert scenario.difference == -(4 * Fraction("0.2") + 4 * Fraction("0.1"))
    assert [(run.before, run.after) for run in scenario.moved] == [
        (Fraction("1.2"), Fraction("0.4")),
        (Fraction("1.2"), Fraction("0.8")),
    ]
    assert scenario.bill.energy_mwh == found.bill.energy_mwh
    assert scenario.reason == "2 runs of 8 kWh would have cost 1.20 EUR instead of 2.40 EUR."
    assert again.scenarios == found.scenarios


def test_runs_that_move_by_hours_never_come_to_lie_on_another(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2026-01-01", "0.25"), TODAY) as home:
        whatif = lived_in(home, at(3, 10), at(3, 13), at(31, 18), at(31, 21))
        first = Move("washing-machine", at(3, 10), at(3, 11), shift_ms=2 * HOUR_MS)
        (alone,) = whatif.ask(MARCH, Question(moves=(first,))).scenarios
        (later,) = whatif.ask(MARCH, moving(shift_ms=3 * HOUR_MS)).scenarios
        (earlier,) = whatif.ask(MARCH, moving(shift_ms=-3 * HOUR_MS)).scenarios
    assert alone.moved == ()
    assert "1 run could not be moved" in alone.reason
    assert [run.start_ms for run in later.moved] == [at(3, 10), at(3, 13)]
    assert "2 runs could not be moved" in later.reason
    assert shifts(earlier) == [-3] * 4


def test_a_higher_monthly_peak_of_moved_runs_is_told(tmp_path: Path) -> None:
    capacity = "capacity_per_kw_year = 60\ncapacity_least_w = 100\n"
    with billed_home(tmp_path, flat("2026-01-01", "0.25") + capacity, TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        used(home, "mains", added([steady(*MARCH), washing(at(3, 10)), washing(at(3, 12))]))
        (scenario,) = whatif.ask(MARCH, moving(shift_ms=2 * HOUR_MS)).scenarios
    assert scenario.difference == 2 * Fraction(60, 12)
    assert "The charge on the monthly peak would have been 10.00 EUR more." in scenario.reason


def test_a_run_is_moved_by_real_hours_over_the_night_of_the_clock_change(tmp_path: Path) -> None:
    """From one o'clock four hours on it is six by the wall clock; each hour since midnight costs a cent more."""
    night = day_start(ROME, date(2026, 3, 29)) + HOUR_MS
    with billed_home(tmp_path, SPOT, TODAY) as home:
        whatif = lived_in(home, night)
        hourly(home, range(24))
        found = whatif.ask(MARCH, moving(shift_ms=4 * HOUR_MS))
    (scenario,) = found.scenarios
    assert shifts(scenario) == [4]
    assert scenario.difference == 4 * Fraction("0.04")


def test_a_run_stays_in_its_period_and_on_known_prices(tmp_path: Path) -> None:
    with billed_home(tmp_path, SPOT, TODAY) as home:
        whatif = lived_in(home, at(1, 1), at(20, 10))
        hourly(home, [30, 20], days=20)
        earlier = whatif.ask(MARCH, moving(shift_ms=-2 * HOUR_MS)).scenarios[0]
        cheapest = whatif.ask(MARCH, moving(within_ms=HOUR_MS)).scenarios[0]
        beyond = whatif.ask(MARCH, moving(shift_ms=24 * HOUR_MS)).scenarios[0]
    assert [run.start_ms for run in earlier.moved] == [at(20, 10)]
    assert "1 run could not be moved" in earlier.reason
    assert cheapest.moved == ()
    assert "No run would have been at another hour" in cheapest.reason
    assert "have no price there, so it is not comparable" in beyond.reason


def test_what_the_billed_meter_did_not_see_of_a_run_is_not_moved_and_is_said(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2026-01-01", "0.25"), TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        used(home, "mains", steady(*MARCH))
        (scenario,) = whatif.ask(MARCH, moving(shift_ms=HOUR_MS)).scenarios
    assert scenario.difference == 0
    assert "3.2 kWh of them are not in what is billed" in scenario.reason


def test_a_span_is_a_run_when_it_is_said_to_be(tmp_path: Path) -> None:
    with billed_home(tmp_path, SPOT, TODAY) as home:
        whatif = lived_in(home, at(3, 10))
        hourly(home, range(24))
        move = Move("washing-machine", at(3, 10, 30), at(3, 11, 30), shift_ms=HOUR_MS, is_run=True)
        (scenario,) = whatif.ask(MARCH, Question(moves=(move,))).scenarios
    assert [run.energy_mwh for run in scenario.moved] == [2_000_000]
    assert scenario.difference == 2 * Fraction("0.01")


def test_what_is_no_part_of_the_bill_cannot_be_moved_and_no_tariff_makes_no_bill(tmp_path: Path) -> None:
    apart = METERS.replace('parent = "mains"\n', "")
    with billed_home(tmp_path, flat("2026-01-01", "0.25"), TODAY, apart) as home:
        whatif = lived_in(home, at(3, 10))
        with pytest.raises(RegistryError, match="washing-machine is no part of what is billed"):
            whatif.ask(MARCH, moving(shift_ms=HOUR_MS))
        assert whatif.usual_question(MARCH).moves == ()
        with pytest.raises(UnknownMeterError):
            whatif.ask(MARCH, Question(moves=(Move("nosuch", 0, 1, shift_ms=0),)))
        with pytest.raises(BillError):
            whatif.ask(Period(date(2025, 1, 1), date(2025, 2, 1)), Question())
