"""Totals over midnights, month's and year's ends, with anything off meanwhile: right to the watt-hour."""

from pathlib import Path

import pytest

from casawatt.sources import kasa
from casawatt.sources.kasa import Config
from tests.recorder import homes
from tests.sources.kasa_home import Happening, KasaHome
from tests.virtual_plugs.kasa import LegacyPlug, Plug, utc_ms
from tests.virtual_plugs.tapo import PASSWORD, USER, TapoPlug

MAC = "48:22:54:00:00:01"
HOUR_MS = 3_600_000
POLL_S = 60.0

ENDS = {
    "midnight": utc_ms(2026, 3, 10, 23),
    "month": utc_ms(2026, 3, 31, 22),
    "summer time": utc_ms(2026, 3, 28, 23),
    "year": utc_ms(2026, 12, 31, 23),
}
"""Local midnights in Rome (UTC ms)."""

RESETS = {
    "history": ("year",),
    "months": ("month", "year"),
    "days": tuple(ENDS),
}
"""By what the firmware offers, when its register begins again; only the first can tell what it showed before."""


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASAWATT_KASA_USER", USER)
    monkeypatch.setenv("CASAWATT_KASA_PASSWORD", PASSWORD)
    monkeypatch.setitem(homes.TRAITS, "kasa", Config(poll_s=POLL_S).traits)


def kettle(time_ms: int) -> float:
    """Return 61 W, and 2 kW for the first four minutes of each half hour."""
    return 2061.3 if time_ms % (HOUR_MS // 2) < 240_000 else 61.3


def tapo_of(plug: Plug, firmware: str) -> TapoPlug:
    """Return a plug of the firmware that has counted in earlier months already."""
    for day, energy_wh in ((utc_ms(2026, 1, 5), 30_000.4), (utc_ms(2026, 2, 5), 7000.9), (utc_ms(2026, 12, 1), 40.5)):
        if day < plug.time_ms:
            earlier = Plug(lambda _: 0.0, day)
            plug.by_day_wh[earlier.local().date()] += energy_wh
    tapo = TapoPlug(plug)
    tapo.history, tapo.months = firmware == "history", firmware != "days"
    return tapo


OUTAGES = ("none", "casawatt", "plug", "network", "casawatt and network")


@pytest.mark.parametrize("outage", OUTAGES)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("firmware", RESETS)
async def test_a_tapo_loses_no_more_than_its_firmware_forgets(
    tmp_path: Path, firmware: str, end: str, outage: str
) -> None:
    end_ms = ENDS[end]
    off_ms, on_ms, last_ms = end_ms - HOUR_MS // 2 - 7000, end_ms + HOUR_MS + 11_000, end_ms + 2 * HOUR_MS
    plug = Plug(kettle, end_ms - 2 * HOUR_MS)
    tapo = tapo_of(plug, firmware)
    at_end: list[float] = []

    def mains(*, on: bool) -> None:
        plug.has_mains = on

    happenings: list[Happening] = [(end_ms, lambda: at_end.append(plug.true_wh))]
    if outage in ("plug", "network", "casawatt and network"):
        happenings += [(off_ms, tapo.switch_off), (on_ms, tapo.switch_on)]
    if outage == "plug":
        happenings += [(off_ms + 1, lambda: mains(on=False)), (on_ms - 1, lambda: mains(on=True))]
    home = KasaHome(tmp_path, plug.time_ms, plug, happenings=tuple(happenings))
    async with tapo:
        config = Config(hosts=[tapo.address], poll_s=POLL_S)
        if outage.startswith("casawatt"):
            await home.serve(config, off_ms, MAC)
            await home.pass_time(on_ms)
        energy_wh = (await home.serve(config, last_ms, MAC))[MAC]
        assert tapo.wrong == []
    last_seen_wh = max(
        true_wh for at_ms, true_wh in home.polls if at_ms < min(end_ms, off_ms if outage != "none" else end_ms)
    )
    lost_wh = at_end[0] - last_seen_wh if end in RESETS[firmware] and firmware != "history" else 0.0
    whole_wh = 2 if end in (*RESETS[firmware], "month") else 1  # it says whole ones, of each month by itself
    assert energy_wh == pytest.approx(home.polls[-1][1] - lost_wh, abs=whole_wh)
    assert set(home.refused) <= {"unreachable"}


async def test_a_month_that_counts_more_than_the_one_before_is_told_from_one_that_goes_on(tmp_path: Path) -> None:
    end_ms = ENDS["month"]
    plug = Plug(kettle, end_ms - HOUR_MS)
    tapo = TapoPlug(plug)
    tapo.history = False
    at_end: list[float] = []
    home = KasaHome(tmp_path, plug.time_ms, plug, happenings=((end_ms, lambda: at_end.append(plug.true_wh)),))
    async with tapo:
        config = Config(hosts=[tapo.address], poll_s=POLL_S)
        before_wh = (await home.serve(config, end_ms - HOUR_MS // 2, MAC))[MAC]
        await home.pass_time(end_ms + 9 * HOUR_MS)
        energy_wh = (await home.serve(config, end_ms + 10 * HOUR_MS, MAC))[MAC]
    assert energy_wh == pytest.approx(before_wh + home.polls[-1][1] - at_end[0], abs=2)


async def test_a_kasa_is_followed_over_midnight_and_its_own_power_cuts(tmp_path: Path) -> None:
    end_ms = ENDS["month"]
    plug = Plug(kettle, end_ms - 2 * HOUR_MS)
    plug.since_boot_wh = 4321.0
    legacy = LegacyPlug(plug, newer=True)
    happenings = ((end_ms - HOUR_MS, plug.restart), (end_ms + HOUR_MS + 60_000, plug.restart))
    home = KasaHome(tmp_path, plug.time_ms, plug, happenings=happenings)
    async with legacy:
        config = Config(hosts=[legacy.address], poll_s=POLL_S)
        await home.serve(config, end_ms - HOUR_MS // 2, "50:c7:bf:00:00:01")
        await home.pass_time(end_ms + HOUR_MS // 2)
        energies = await home.serve(config, end_ms + 2 * HOUR_MS, "50:c7:bf:00:00:01")
    forgotten_wh = 2 * 2061.3 * POLL_S / 3600
    assert energies["50:c7:bf:00:00:01"] == pytest.approx(home.polls[-1][1], abs=forgotten_wh)
    assert legacy.wrong == []
    assert home.refused == {}


async def test_a_night_of_clocks_going_back_at_ten_seconds_is_right_to_the_watt_hour(tmp_path: Path) -> None:
    start_ms = utc_ms(2026, 10, 24, 21)
    plug = Plug(kettle, start_ms)
    tapo = tapo_of(plug, "history")
    home = KasaHome(tmp_path, start_ms, plug)
    async with tapo:
        energies = await home.serve(Config(hosts=[tapo.address]), start_ms + 8 * HOUR_MS, MAC)
    assert energies[MAC] == pytest.approx(home.polls[-1][1], abs=1)
    assert len(home.polls) == 8 * 360


async def test_a_month_that_is_reset_late_is_not_counted_twice(tmp_path: Path) -> None:
    end_ms = ENDS["month"]
    plug = Plug(kettle, end_ms - HOUR_MS)
    tapo = tapo_of(plug, "history")
    tapo.mode = "lag"
    happenings = ((end_ms + 10 * 60_000, lambda: setattr(tapo, "mode", "well")),)
    home = KasaHome(tmp_path, plug.time_ms, plug, happenings=happenings)
    async with tapo:
        energies = await home.serve(Config(hosts=[tapo.address], poll_s=POLL_S), end_ms + HOUR_MS, MAC)
    assert energies[MAC] == pytest.approx(home.polls[-1][1], abs=2)


async def test_a_clock_of_1970_costs_no_energy_and_adds_none(tmp_path: Path) -> None:
    start_ms = ENDS["midnight"] - 6 * HOUR_MS
    plug = Plug(kettle, start_ms)
    tapo = tapo_of(plug, "history")
    lost = -(start_ms // HOUR_MS) * HOUR_MS

    def clock(off_ms: int) -> None:
        plug.clock_off_ms = off_ms

    happenings = ((start_ms + HOUR_MS, lambda: clock(lost)), (start_ms + 2 * HOUR_MS, lambda: clock(0)))
    home = KasaHome(tmp_path, start_ms, plug, happenings=happenings)
    async with tapo:
        config = Config(hosts=[tapo.address], poll_s=POLL_S)
        first = (await home.serve(config, start_ms + HOUR_MS, MAC))[MAC]
        before_wh = home.polls[-1][1]
        energy_wh = (await home.serve(config, start_ms + 3 * HOUR_MS, MAC))[MAC]
    assert first == pytest.approx(before_wh, abs=1.5)
    assert home.refused["clock"] == pytest.approx(HOUR_MS / 1000 / POLL_S, abs=1)
    in_1970_wh = sum(wh for day, wh in plug.by_day_wh.items() if day.year < 2000)
    assert energy_wh == pytest.approx(plug.true_wh - in_1970_wh, abs=20)
    assert in_1970_wh > 200


def test_the_traits_are_those_of_a_polled_plug() -> None:
    traits = kasa.Config(hosts=["plug"]).traits
    assert (traits.cadence.value, traits.gap_limit_ms, traits.limit_w) == ("polled", 50_000, 5000.0)
