"""What of the billed energy is whose, at the price of its quarter-hour."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine.split import split
from casawatt.engine.split_used import Grid, Measurements, RunEnergy, used_of
from casawatt.model.interval import INTERVAL_MS
from casawatt.model.member import Assignment, Member, Rest, SplitRules
from casawatt.model.quarters import Quarters
from casawatt.model.split import Used

ROME = ZoneInfo("Europe/Rome")
DST = Grid.of(date(2026, 3, 28), date(2026, 3, 31), ROME)
KWH = 1_000_000


class Rates:
    """Prices that differ from each quarter-hour to the next: a cent more for every one since the period began."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def cost(self, quarters: Quarters) -> Fraction:
        rates = (quarters.start_ms - self.grid.start_ms) // INTERVAL_MS + 1
        return Fraction(int((rates * quarters.energy_mwh).sum()), 100 * KWH)


def quarters(energies: Mapping[int, int], grid: Grid = DST, measured_ms: int = INTERVAL_MS) -> Quarters:
    """Return quarter-hours of some energies (kWh) by their places."""
    places = sorted(energies)
    start_ms = np.array([grid.start_ms + place * INTERVAL_MS for place in places], np.int64)
    energy_mwh = np.array([energies[place] * KWH for place in places], np.int64)
    return Quarters(start_ms, energy_mwh, np.full(len(places), measured_ms, np.int64), energy_mwh)


def rules(*assignments: Assignment) -> SplitRules:
    return SplitRules(Rest.PERSON, (Member("anna", "Anna"), Member("bruno", "Bruno")), assignments)


def owned(meter: str, owner: str, within: str | None = None) -> Assignment:
    return Assignment(meter, meter.title(), ((owner, Fraction(1)),), within=within)


def used(measured: Measurements, who: SplitRules, grid: Grid = DST) -> Used:
    total = Rates(grid).cost(measured.billed)
    return used_of(grid, measured, who, Rates(grid), {}, total)


def test_the_day_on_which_clocks_go_forward_has_92_quarter_hours() -> None:
    assert len(DST) == 96 + 92 + 96
    assert [DST.place(edge_ms) for edge_ms in DST.edges_ms] == [0, 96, 188, 284]
    assert [DST.day_of(DST.edges_ms[0] + hours * 3_600_000) for hours in (-1, 0, 24, 46, 47, 71)] == [0, 0, 1, 1, 2, 2]


def test_energy_is_paid_at_the_price_of_its_quarter_hour_and_on_its_day() -> None:
    what = used(Measurements("Mains", quarters({0: 1, 187: 1, 188: 1}), {}, []), rules())
    assert [each.cost for each in what.unmetered] == [Fraction(1, 100), Fraction(188, 100), Fraction(189, 100)]
    assert [each.energy_mwh for each in what.unmetered] == [KWH] * 3


def test_what_is_measured_twice_is_counted_once() -> None:
    meters = {"room": quarters({5: 4}), "heater": quarters({5: 3}), "lamp": quarters({5: 1})}
    who = rules(owned("room", "anna"), owned("heater", "bruno", "room"), owned("lamp", "anna", "heater"))
    what = used(Measurements("Mains", quarters({5: 9}), meters, []), who)
    assert {slug: days[0].energy_mwh // KWH for slug, days in what.meters.items()} == {
        "room": 1,
        "heater": 2,
        "lamp": 1,
    }
    assert what.unmetered[0].energy_mwh == 5 * KWH


def test_what_meters_say_beyond_the_mains_is_counted_apart_with_its_cause() -> None:
    meters = {"heater": quarters({3: 2, 4: 2, 5: 2})}
    mains = quarters({3: 1, 5: 9})
    what = used(Measurements("Mains", mains, meters, []), rules(owned("heater", "anna")))
    assert (what.excess.quarters, what.excess.gaps) == (2, 1)
    assert what.excess.by_day[0].energy_mwh == -3 * KWH
    assert what.excess.by_day[0].cost == Fraction(-1 * 4 - 2 * 5, 100)
    assert what.unmetered[0].energy_mwh == 7 * KWH
    assert split(what, rules(owned("heater", "anna")), "EUR", 2).units == 58


def test_a_claimed_run_is_taken_out_of_its_meter_at_its_own_prices() -> None:
    washer = Assignment("washer", "Washer", claimed=True)
    run = RunEnergy("washer", "anna", DST.start_ms + 95 * INTERVAL_MS, "at night", 95, np.array([KWH, 2 * KWH]))
    what = used(
        Measurements("Mains", quarters({95: 5, 96: 5}), {"washer": quarters({95: 2, 96: 2})}, [run]), rules(washer)
    )
    assert (what.runs[0].day, what.runs[0].amount.cost) == (0, Fraction(96 + 2 * 97, 100))
    assert [each.energy_mwh // KWH for each in what.meters["washer"]] == [1, 0, 0]


energies = st.dictionaries(st.integers(0, 283), st.integers(-3, 9), max_size=20)


@given(energies, energies, energies, energies)
def test_whatever_was_measured_every_cent_of_the_bill_is_someones(
    mains: dict[int, int], room: dict[int, int], heater: dict[int, int], washer: dict[int, int]
) -> None:
    meters = {"room": quarters(room), "heater": quarters(heater), "washer": quarters(washer, measured_ms=5)}
    who = rules(owned("room", "anna"), owned("heater", "bruno", "room"), Assignment("washer", "Washer", claimed=True))
    run = RunEnergy("washer", "bruno", DST.start_ms, "", 7, np.array([3, -1, 4], np.int64))
    measured = Measurements("Mains", quarters(mains), meters, [run])
    found = split(used(measured, who), who, "EUR", 2)
    assert found.amount == Rates(DST).cost(measured.billed)
    assert sum(each.units for each in found.members) == found.units
