"""Bills of a real home: what is billed, beside what, and what a new or corrected price does."""

import logging
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from casawatt.answers.home import take_tariffs_in, warn_of_waiting
from casawatt.app_home import open_home, ports_of
from casawatt.config import parse
from casawatt.engine.periods import Period
from casawatt.model.errors import BillError, RegistryError, UnknownDecisionError, UnknownMeterError
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.quarters import Quarters
from casawatt.web.bill_documents import bill_document, tariffs_document
from casawatt.web.periods import parse_billed_period
from casawatt.web.problem import ProblemError
from tests.answers.homes import METERS, answers, billed_home, flat, used
from tests.engine.homes_and_bills import steady

OCTOBER, NOVEMBER = Period(date(2026, 10, 1), date(2026, 11, 1)), Period(date(2026, 11, 1), date(2026, 12, 1))
TODAY = "2026-11-20"
KWH_A_DAY = Fraction("9.6")


def test_the_mains_is_billed_beside_the_month_before_and_the_year_before(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2025-01-01", "0.25"), TODAY) as home:
        used(home, "mains", steady(date(2026, 10, 1), date(2026, 11, 20)))
        used(home, "washing-machine", steady(date(2026, 10, 1), date(2026, 11, 20), 7_000))
        compared = answers(home).bills.compared(NOVEMBER)
    assert compared.bill.amount == 19 * KWH_A_DAY / 4
    assert compared.before is not None
    assert compared.before.amount == (31 * KWH_A_DAY + Fraction("0.4")) / 4
    assert compared.year_before is None
    assert compared.bill.measured_ms == 19 * 24 * 3_600_000


def test_a_named_meter_is_billed_and_without_a_mains_all_that_are_part_of_no_other(tmp_path: Path) -> None:
    named = '[supply]\nmeter = "washing-machine"\n' + flat("2025-01-01", "1")
    with billed_home(tmp_path, named, TODAY) as home:
        assert answers(home).bills.billed().slug == "washing-machine"
    apart = METERS.replace('appliance = "mains"\n', "")
    with billed_home(tmp_path / "data", flat("2025-01-01", "1"), TODAY, apart) as home:
        assert [each.slug for each in answers(home).bills.billed().meters] == ["mains"]
    several = apart.replace('parent = "mains"\n', "")
    with billed_home(tmp_path / "data" / "data", flat("2025-01-01", "1"), TODAY, several) as home:
        used(home, "mains", steady(*OCTOBER))
        used(home, "washing-machine", steady(*OCTOBER, 1_000_000))
        made = answers(home).bills.bill(OCTOBER)
        assert answers(home).bills.billed().name == "2 meters together"
    assert made.energy_mwh == 745 * 4 * 1_100_000


def test_there_is_no_bill_without_meters_or_tariffs(tmp_path: Path) -> None:
    with billed_home(tmp_path, "", TODAY, "") as home:
        with pytest.raises(RegistryError, match="there is no meter yet"):
            answers(home).bills.billed()
        with pytest.raises(UnknownMeterError):
            home.registry.meter("mains")
    with billed_home(tmp_path, "", TODAY) as home, pytest.raises(BillError, match=r"\[\[tariff\]\]"):
        answers(home).bills.bill(NOVEMBER)
    with (
        billed_home(tmp_path, flat("2026-12-01", "0.25"), TODAY) as home,
        pytest.raises(BillError, match="the first tariff holds from 2026-12-01"),
    ):
        answers(home).bills.bill(NOVEMBER)


def bill_of_october(home_folder: Path, tariffs: str) -> Fraction:
    with billed_home(home_folder, tariffs, TODAY) as home:
        used(home, "mains", steady(*OCTOBER))
        warn_of_waiting(home.config, answers(home).tariffs)
        return answers(home).bills.bill(OCTOBER).amount


def test_a_new_price_never_changes_what_is_past_and_waits_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = flat("2026-01-01", "0.25")
    first = bill_of_october(tmp_path, old)
    with caplog.at_level(logging.WARNING):
        for changed in (old.replace("0.25", "0.50"), old + flat("2026-10-15", "0.50", "new")):
            assert bill_of_october(tmp_path, changed) == first
        late_first = flat("2026-10-15", "0.50", "new") + old
        assert bill_of_october(tmp_path, late_first.replace("2026-10-15", "2026-10-16")) == first
    assert "'new' from 2026-10-16 (" in caplog.text
    assert "home.toml:1) would change what was used since 2026-10-16 costs" in caplog.text
    assert "home.toml:1) would change what was used since 2026-01-01 costs" in caplog.text
    assert "'new' from 2026-10-15" in caplog.text
    assert "casawatt tariffs correct" in caplog.text


def test_a_price_for_times_to_come_or_that_had_none_is_taken_at_once(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2026-06-01", "0.25"), TODAY) as home:
        assert len(answers(home).tariffs.standing()) == 1
    later = flat("2026-01-01", "0.2", "earlier") + flat("2026-06-01", "0.25") + flat("2026-11-20", "0.3", "today")
    with billed_home(tmp_path, later, TODAY) as home:
        tariffs = answers(home).tariffs
        assert [(each.tariff.name, each.until) for each in tariffs.standing()] == [
            ("earlier", date(2026, 6, 1)),
            ("flat", date(2026, 11, 20)),
            ("today", None),
        ]
        assert tariffs.waiting() == []
    without = flat("2026-06-01", "0.25", "another name")
    with billed_home(tmp_path, without, TODAY) as home:
        assert [each.tariff.name for each in answers(home).tariffs.standing()] == ["earlier", "another name", "today"]


def test_who_only_reads_reckons_with_the_tariffs_that_the_next_start_will_take(tmp_path: Path) -> None:
    with billed_home(tmp_path, flat("2026-06-01", "0.25"), TODAY) as home:
        clock = home.clock
    later = flat("2026-06-01", "0.25", "another name") + flat("2026-10-17", "0.5") + flat("2027-01-01", "0.75", "later")
    config = parse(later, "home.toml")
    for _ in range(2):
        with open_home(config, tmp_path / "data", clock, read_only=True) as home:
            tariffs = answers(home).tariffs
            held = [(each.tariff_id, each.tariff.name, each.until) for each in tariffs.standing()]
            assert held == [(0, "another name", date(2027, 1, 1)), (0, "later", None)]
            assert [each.tariff.from_ for each in tariffs.waiting()] == [date(2026, 10, 17)]
            assert [each.id for each in tariffs_document(ports_of(home, demo=False)).tariffs] == [None, None]
            assert answers(home).bills.market(OCTOBER).tariffs == tariffs.standing()
    with open_home(config, tmp_path / "data", clock) as home:
        assert [each.tariff_id for each in answers(home).tariffs.standing()] == [2, 3]


def test_a_corrected_price_changes_the_past_on_request_and_says_what(tmp_path: Path) -> None:
    old = flat("2026-01-01", "0.25")
    before_ = bill_of_october(tmp_path, old)
    with billed_home(tmp_path, old + flat("2026-10-17", "0.50", "new"), TODAY) as home:
        used(home, "mains", steady(date(2026, 10, 1), date(2026, 11, 3)))
        found = answers(home)
        shown = found.tariffs.correct(apply=False)
        assert not shown.applied
        assert [(each.tariff.name, each.changes_from, each.instead_of) for each in shown.waiting] == [
            ("new", date(2026, 10, 17), None)
        ]
        fifteen_days_and_an_hour = 15 * KWH_A_DAY + Fraction("0.4")
        assert [(each.period.start, each.after - each.before) for each in shown.months] == [
            (date(2026, 10, 1), fifteen_days_and_an_hour / 4),
            (date(2026, 11, 1), 2 * KWH_A_DAY / 4),
        ]
        assert found.bills.bill(OCTOBER).amount == before_
        done = found.tariffs.correct(apply=True)
        assert (done.applied, done.months) == (True, shown.months)
        assert found.bills.bill(OCTOBER).amount == before_ + fifteen_days_and_an_hour / 4
        assert found.tariffs.correct(apply=True).waiting == ()
        number = found.tariffs.standing()[-1].tariff_id
        undone = found.tariffs.undo(number)
        assert [each.after - each.before for each in undone.months] == [
            each.before - each.after for each in shown.months
        ]
        assert found.bills.bill(OCTOBER).amount == before_
        assert [each.retracted_ms is None for each in found.tariffs.on_record()] == [True, False]
        with pytest.raises(UnknownDecisionError, match="no tariff 2 that stands"):
            found.tariffs.undo(number)


def test_taking_a_correction_of_a_tariff_back_brings_the_one_before_it_back(tmp_path: Path) -> None:
    old = flat("2026-01-01", "0.25")
    before_ = bill_of_october(tmp_path, old)
    with billed_home(tmp_path, flat("2026-01-01", "0.75", "dear"), TODAY) as home:
        used(home, "mains", steady(*OCTOBER))
        found = answers(home)
        found.tariffs.correct(apply=True)
        assert found.bills.bill(OCTOBER).amount == 3 * before_
        found.tariffs.undo(found.tariffs.standing()[0].tariff_id)
        assert [each.tariff.name for each in found.tariffs.standing()] == ["flat"]
        assert found.bills.bill(OCTOBER).amount == before_
        take_tariffs_in(found.tariffs, write=True)
        assert found.bills.bill(OCTOBER).amount == before_


def test_a_run_costs_what_its_parts_of_quarter_hours_cost(tmp_path: Path) -> None:
    """100 Wh a quarter-hour at 0.25, from the second third of one to the end of the first third of the next but one."""
    with billed_home(tmp_path, flat("2026-10-02", "0.25"), TODAY) as home:
        meter = home.registry.meter("mains")
        used(home, "mains", steady(*OCTOBER))
        costs, start_ms = answers(home).costs, int(steady(*OCTOBER).start_ms[0]) + 86_400_000
        third_ms = INTERVAL_MS // 3
        cost = costs.cost(meter, start_ms + third_ms, start_ms + 2 * INTERVAL_MS + third_ms)
        assert cost is not None
        assert cost.complete
        assert cost.amount == pytest.approx(Fraction("0.2") / 4, abs=1e-6)
        assert costs.cost(meter, start_ms - INTERVAL_MS, start_ms) is None
        half = costs.cost(meter, start_ms - INTERVAL_MS, start_ms + INTERVAL_MS)
        assert half is not None
        assert (half.amount, half.complete) == (Fraction("0.1") / 4, False)
        nothing = costs.cost(meter, start_ms, start_ms)
        assert nothing is not None
        assert nothing.amount == 0


def test_the_order_in_which_quarter_hours_arrive_changes_nothing(tmp_path: Path) -> None:
    quarters = steady(*OCTOBER, 123_457)
    amounts = []
    for number, order in enumerate((np.arange(len(quarters)), np.random.default_rng(1).permutation(len(quarters)))):
        (tmp_path / str(number)).mkdir()
        with billed_home(tmp_path / str(number), flat("2025-01-01", "0.25"), TODAY) as home:
            for some in np.array_split(order, 7):
                columns = (quarters.start_ms, quarters.energy_mwh, quarters.measured_ms, quarters.max_mw)
                used(home, "mains", Quarters(*(column[some] for column in columns)))
            amounts.append(answers(home).bills.bill(OCTOBER).amount)
    assert amounts[0] == amounts[1] > 0


def test_a_capacity_charge_of_part_of_a_month_is_by_the_peak_of_the_whole_month(tmp_path: Path) -> None:
    """3 kW on 25 October only: 40 EUR a kW and year, a twelfth of it a month, 3 kW also for the first ten days."""
    text = flat("2025-01-01", "0") + "capacity_per_kw_year = 40\n"
    quarters = steady(*OCTOBER)
    energy_mwh = np.where(np.arange(len(quarters)) == 24 * 96 + 40, 750_000, quarters.energy_mwh)
    with billed_home(tmp_path, text, TODAY) as home:
        used(home, "mains", Quarters(quarters.start_ms, energy_mwh, quarters.measured_ms, energy_mwh * 4))
        bills = answers(home).bills
        middle = date(2026, 10, 11)
        parts = [bills.bill(Period(OCTOBER.start, middle)), bills.bill(Period(middle, OCTOBER.end))]
        assert parts[0].amount == 3 * Fraction(40, 12) * Fraction(10, 31)
        assert sum(each.amount for each in parts) == bills.bill(OCTOBER).amount == 10


def test_a_billing_month_that_is_not_over_is_billed_until_today_beside_the_same_days_of_the_one_before(
    tmp_path: Path,
) -> None:
    fixed = flat("2025-01-01", "0.25") + "fixed_per_day = 1\n"
    with billed_home(tmp_path, fixed, "2026-10-05") as home:
        used(home, "mains", steady(date(2026, 9, 1), date(2026, 10, 5)))
        ports = ports_of(home, demo=False)
        for name in (None, "this", "2026-10"):
            period = parse_billed_period(ports, name, None, None)
            assert period == (date(2026, 10, 1), date(2026, 10, 6))
        compared = ports.answers.bills.compared(period)
        assert compared.bill.amount == 4 * KWH_A_DAY / 4 + 5
        assert compared.before is not None
        assert (compared.before.start, compared.before.end) == (date(2026, 9, 1), date(2026, 9, 6))
        assert compared.before.amount == 5 * KWH_A_DAY / 4 + 5
        document = bill_document(ports, compared)
        assert (document.ends, document.before is not None and document.before.complete) == ("2026-11-01", True)
        assert document.notes == [
            "80 % of the time was measured. Of the other 24 hours only what a register counted is in it."
        ]
        assert parse_billed_period(ports, "last", None, None) == (date(2026, 9, 1), date(2026, 10, 1))
        assert bill_document(ports, ports.answers.bills.compared(OCTOBER)).ends is None
        with pytest.raises(ProblemError, match="begins on 2026-11-01 has not begun"):
            parse_billed_period(ports, "2026-11", None, None)
