"""What cannot be true is set aside, and the totals are right all the same: the cases that homes are known to have."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from casawatt.engine import energy, pipeline
from casawatt.engine.curve import curve
from casawatt.engine.pipeline import calibration_at
from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.meter import Cadence, Calibration
from casawatt.model.reading import Record
from casawatt.model.suspect import Cause, Suspect
from tests.engine.test_curve import columns_of, spans_of

KWH = 1_000.0
HOUR_S = 3_600
HOME = Calibration(0, gap_limit_ms=60_000)
PLUG = Calibration(0, gap_limit_ms=60_000, limit_mw=5_000_000)
SAVING = Calibration(0, gap_limit_ms=300_000, limit_mw=5_000_000, falls_back=True)
SLOW = Calibration(0, gap_limit_ms=1_200_000)


class At(NamedTuple):
    """One reading: when, and what it says."""

    time_s: float
    wh: float | None = None
    w: float | None = None
    boot: int | None = None
    device: int = 1

    def record(self) -> Record:
        mwh, mw = (None if value is None else round(value * 1000) for value in (self.wh, self.w))
        return Record(round(self.time_s * 1000), self.device, mw, mwh, boot_id=self.boot)


class Case(NamedTuple):
    """Readings, what they come to in Wh, and what of them is set aside: when, and how many Wh high."""

    sentence: str
    readings: Sequence[At]
    total_wh: float
    jumps: Sequence[tuple[float, float]] = ()
    calibration: Calibration = HOME


def ticking(start_s: int, end_s: int, wh: float, w: float = 3600, every_s: int = 10, **said: int) -> list[At]:
    """Readings at even times of a register that counts on from `wh`, and of a power that agrees with it."""
    return [At(at_s, wh + w * (at_s - start_s) / HOUR_S, w, **said) for at_s in range(start_s, end_s + 1, every_s)]


def only_register(readings: Sequence[At]) -> list[At]:
    return [reading._replace(w=None) for reading in readings]


CASES = [
    Case(
        "a register that shows zero once goes on as if it had not",
        [*ticking(0, 60, 1000 * KWH), At(70, 0, 3600), *ticking(80, 120, 1000 * KWH + 80)],
        120,
    ),
    Case(
        "a register that shows zero for a while loses no more than that while",
        [*ticking(0, 60, 1000 * KWH), At(70, 0, 3600), At(80, 0, 3600), *ticking(90, 120, 1000 * KWH + 90)],
        120 - 20,
        [(90, 1000 * KWH + 90)],
    ),
    Case(
        "a register that shows far too much once goes on as if it had not",
        [*ticking(0, 60, 1000 * KWH), At(70, 1065_535, 3600), *ticking(80, 120, 1000 * KWH + 80)],
        120,
        [(70, 65_475)],
    ),
    Case(
        "of a register that stays on a new level the height is not counted, and power fills the moment",
        [*ticking(0, 60, 1000 * KWH), *ticking(70, 120, 1005 * KWH)],
        120,
        [(70, 4940)],
    ),
    Case(
        "without power the moment of a new level is all that is lost",
        only_register([*ticking(0, 60, 1000 * KWH), *ticking(70, 120, 1005 * KWH)]),
        110,
        [(70, 4940)],
    ),
    Case(
        "a new level with a spike on top of it is found all the same",
        [
            *ticking(0, 60, 1000 * KWH),
            At(70, 1005 * KWH, 3600),
            At(80, 9999 * KWH, 3600),
            *ticking(90, 120, 1005 * KWH + 20),
        ],
        120,
        [(70, 4940), (80, 9999 * KWH - 1000 * KWH - 60), (90, 4960)],
    ),
    Case(
        "a counter replaced by one that shows less is counted on from there",
        [*ticking(0, 60, 1000 * KWH), *ticking(70, 120, 250 * KWH)],
        120,
    ),
    Case(
        "a counter replaced by a new one begins at zero",
        [*ticking(0, 60, 1000 * KWH), *ticking(130, 180, 3)],
        60 + 3 + 50,
    ),
    Case(
        "another device between two of the first counts nothing of its register's height",
        [*ticking(0, 60, 1000 * KWH), *ticking(70, 120, 5, device=2), *ticking(130, 180, 1000 * KWH + 60)],
        180,
    ),
    Case(
        "a Tasmota plug that fell back to what it saved and says so counts on from there",
        [*ticking(0, 600, 1000.9 * KWH, every_s=300, boot=1), *ticking(4200, 5400, 1000 * KWH, every_s=300, boot=2)],
        600 + 1200,
        calibration=SLOW,
    ),
    Case(
        "a Tasmota plug that fell back to what it saved without saying so counts on too",
        [*ticking(0, 600, 1003 * KWH, every_s=300), *ticking(4200, 5400, 1000 * KWH, every_s=300)],
        600 + 1200,
        calibration=SLOW,
    ),
    Case(
        "a young plug that restarted after a long cut shows what it saved, though that could have been used since",
        [At(0, 6900, boot=1), At(10, 6910, boot=1), At(2000, 6294, boot=2), At(2010, 6304, boot=2)],
        20,
    ),
    Case(
        "a plug that restarted and shows much less began at zero",
        [At(0, 6900, boot=1), At(10, 6910, boot=1), At(2000, 1200, boot=2), At(2010, 1210, boot=2)],
        10 + 1210,
    ),
    Case(
        "a plug whose register begins at zero with it counts on, however often it restarts",
        [At(0, 12, boot=1), At(60, 11, boot=2), At(120, 10, boot=3), At(180, 9, boot=4), At(190, 10, boot=4)],
        11 + 10 + 10,
    ),
    Case(
        "a fall back that the register makes good within two readings cannot be told from noise",
        [*ticking(0, 600, 1000.9 * KWH, every_s=300), *ticking(4200, 5400, 1001.2 * KWH, every_s=300)],
        600 + 1200 - 300,
        calibration=SLOW,
    ),
    Case(
        "a new Tasmota plug that fell back to the little it had saved counts on from there, and nothing twice",
        [*ticking(0, 3600, 500, w=100, every_s=300), *ticking(18_000, 19_800, 200, w=100, every_s=300)],
        100 + 50,
        calibration=SAVING,
    ),
    Case(
        "power fills a short power cut of such a plug, and what it had saved is not counted again",
        [
            *ticking(0, 3600, 500, w=100, every_s=300, boot=1),
            *ticking(3900, 5700, 200, w=100, every_s=300, boot=2),
        ],
        100 + 25 / 3 + 50,
        calibration=SAVING,
    ),
    Case(
        "such a plug whose register somebody set to zero counts on from there, by power for the moment",
        [*ticking(0, 3600, 500, w=100, every_s=300), *ticking(3900, 5700, 3, w=100, every_s=300)],
        100 + 25 / 3 + 50,
        calibration=SAVING,
    ),
    Case(
        "a plug that begins at zero after a power cut counts all it shows",
        [*ticking(0, 60, 500 * KWH), *ticking(100, 160, 2)],
        60 + 2 + 60,
    ),
    Case(
        "a plug that begins at zero again and again counts all it shows each time",
        [At(0, 500 * KWH), At(60, 40), At(120, 30), At(180, 20), At(240, 21)],
        40 + 30 + 21,
    ),
    Case(
        "a Tapo plug that begins at zero at midnight counts all it shows",
        [*ticking(0, 60, 2285), *ticking(70, 120, 3)],
        60 + 3 + 50,
    ),
    Case(
        "a register of the month that begins at zero counts all it shows",
        [*ticking(0, 60, 300 * KWH), *ticking(70, 120, 8)],
        60 + 8 + 50,
    ),
    Case(
        "a register that began at zero while nothing was heard for hours counts all it shows",
        [At(0, 2285), At(10, 2295), At(6 * HOUR_S, 1800), At(6 * HOUR_S + 10, 1810)],
        10 + 1810,
    ),
    Case(
        "a register that grew while nothing was heard for hours counts all of it",
        [At(0, 2285), At(10, 2295), At(6 * HOUR_S, 23_000), At(6 * HOUR_S + 10, 23_010)],
        20_725,
    ),
    Case(
        "a register in steps of 10 Wh, read each second, counts every one",
        [At(second, 500 * KWH + second // 10 * 10) for second in range(121)],
        120,
        calibration=PLUG,
    ),
    Case(
        "of a register in steps of 1 kWh the first is set aside, as it began before, and all others count",
        [At(second, 500 * KWH + (second + 100) // 1000 * 1000) for second in range(0, 5001, 5)],
        4 * KWH,
        [(900, KWH)],
        PLUG,
    ),
    Case(
        "a register in steps of 1 kWh that once rose by less has one more step set aside, and then counts all again",
        [
            At(second, (500 if second < 3005 else 500.4) * KWH + (second + 100) // 1000 * 1000)
            for second in range(0, 8001, 5)
        ],
        6 * KWH,
        [(900, KWH), (3005, 400), (3900, KWH)],
        PLUG,
    ),
    Case(
        "values that waited while the broker was down, and came all at once, count as if they had come in time",
        [At(0, 100), At(10, 110), *[At(610 + place / 1000, 110 + 10 * place) for place in range(60)], At(620, 720)],
        620,
        calibration=PLUG,
    ),
    Case(
        "a value right behind one that came late is in doubt for a moment, and nothing is lost",
        [At(0, 100), At(59, 110), At(60, 160), At(120, 210)],
        110,
        [(60, 50)],
        PLUG,
    ),
]


def total_wh(records: Sequence[Record], calibrations: Sequence[Calibration]) -> float:
    """What records come to in Wh; the curve in numpy must say the same to the microjoule."""
    total_uj = sum(span.energy_uj for span in spans_of(records, calibrations))
    assert int(curve(columns_of(records), calibrations).energy_uj[-1]) == total_uj
    return total_uj / MICROJOULES_PER_MWH / 1000


def suspects(records: Sequence[Record], calibrations: Sequence[Calibration]) -> list[Suspect]:
    """What is set aside of records; the state is saved and loaded before each."""
    state = pipeline.START
    found: list[Suspect] = []
    for record in records:
        again = pipeline.load(pipeline.dump(state))
        assert again == state
        state, _ = pipeline.step(again, record, calibration_at(calibrations, record.time_ms))
        found.extend(state.energy.suspects)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.sentence for case in CASES])
def test_it_is_right(case: Case) -> None:
    records = [reading.record() for reading in case.readings]
    assert total_wh(records, [case.calibration]) == pytest.approx(case.total_wh, abs=0.01)
    assert suspects(records, [case.calibration]) == [
        Suspect(round(time_s * 1000), Cause.JUMP, by_time(records)[time_s].register_mwh or 0, round(height_wh * 1000))
        for time_s, height_wh in case.jumps
    ]


def by_time(records: Sequence[Record]) -> dict[float, Record]:
    return {record.time_ms / 1000: record for record in records}


def test_what_is_lost_in_a_power_cut_is_what_passed_between_the_last_value_before_and_the_first_after() -> None:
    """The plug counts 10 Wh in the 10 s before it stops, and 10 Wh in the 10 s from its start to its first value."""
    before, after = ticking(0, 60, 1000.9 * KWH, boot=1), ticking(200, 260, 1000 * KWH + 10, boot=2)
    used_wh = 60 + 10 + 10 + 60
    records = [reading.record() for reading in only_register([*before, *after])]
    assert total_wh(records, [HOME]) == used_wh - 20


def test_power_fills_what_a_power_cut_lost_where_it_was_shorter_than_the_gap_limit() -> None:
    before, after = ticking(0, 60, 1000.9 * KWH, boot=1), ticking(80, 140, 1000 * KWH + 10, boot=2)
    assert total_wh([reading.record() for reading in [*before, *after]], [HOME]) == 60 + 20 + 60


@pytest.mark.parametrize("said_w", [65_535.0, -65_535.0, 4_294_967.295, 50_000.001])
def test_a_power_beyond_the_limit_is_set_aside_and_what_was_said_before_holds(said_w: float) -> None:
    records = [At(at_s, w=said_w if at_s == 20 else 1800).record() for at_s in range(0, 61, 10)]
    assert total_wh(records, [HOME]) == 30
    assert suspects(records, [HOME]) == [Suspect(20_000, Cause.POWER, round(said_w * 1000))]


def test_a_power_at_the_limit_is_believed() -> None:
    assert suspects([At(0, w=50_000).record(), At(10, w=-50_000).record()], [HOME]) == []


def test_power_that_is_set_aside_is_carried_no_further_than_the_gap_limit() -> None:
    records = [At(0, w=1800).record(), *[At(at_s, w=65_535).record() for at_s in range(20, 200, 20)]]
    spans = spans_of(records, [HOME])
    assert spans[-1].end_ms == 80_000
    assert sum(span.energy_uj for span in spans) == 1_800_000 * 80_000


def test_the_first_power_of_a_meter_may_be_beyond_the_limit() -> None:
    records = [At(0, w=65_535).record(), At(10, w=1800).record(), At(20, w=1800).record()]
    assert total_wh(records, [HOME]) == 5
    assert [each.time_ms for each in suspects(records, [HOME])] == [0]


def test_current_times_voltage_is_held_to_the_limit_too() -> None:
    records = [Record(at_ms, 1, current_ma=300_000 if at_ms == 10_000 else 1_000) for at_ms in range(0, 30_001, 10_000)]
    assert suspects(records, [HOME]) == [Suspect(10_000, Cause.POWER, 69_000_000)]
    assert total_wh(records, [HOME]) == pytest.approx(230 * 30 / HOUR_S)


@pytest.mark.parametrize("cadence", list(Cadence))
def test_the_register_of_a_record_whose_power_is_set_aside_still_counts(cadence: Cadence) -> None:
    calibration = Calibration(0, cadence=cadence)
    records = [At(0, 1000, 3600).record(), At(10, 1010, 65_535).record(), At(20, 1020, 3600).record()]
    assert total_wh(records, [calibration]) == 20
    assert {span.max_mw for span in spans_of(records, [calibration])} == {3_600_000}


def test_both_power_and_register_of_one_record_may_be_set_aside() -> None:
    records = [At(0, 1000, 3600).record(), At(10, 99_000, 65_535).record()]
    assert [each.cause for each in suspects(records, [HOME])] == [Cause.POWER, Cause.JUMP]


def test_what_is_believed_has_no_suspects() -> None:
    trusting = [Calibration(0, limit_mw=None)]
    records = [At(0, 1000, 3600).record(), At(10, 99_000, 65_535).record()]
    assert suspects(records, trusting) == []
    assert total_wh(records, trusting) == 98_000


def test_a_jump_that_is_restored_counts_its_height_where_it_was_shown() -> None:
    records = [reading.record() for reading in [*ticking(0, 60, 1000 * KWH), *ticking(70, 120, 1005 * KWH)]]
    restored = [HOME, Calibration(70_000, limit_mw=None), Calibration(70_001)]
    assert suspects(records, restored) == []
    assert total_wh(records, restored) == pytest.approx(5050)


def test_a_reading_that_is_discarded_joins_its_neighbours() -> None:
    records = [reading.record() for reading in [*ticking(0, 60, 1000), At(70, 1090, 20_000), *ticking(80, 120, 1080)]]
    discarding = [HOME, Calibration(70_000, ignores_all=True), Calibration(70_001)]
    assert total_wh(records, discarding) == 120
    assert max(span.max_mw or 0 for span in spans_of(records, discarding)) == 3_600_000


def test_what_a_register_counted_over_discarded_time_longer_than_the_gap_limit_is_left_out() -> None:
    records = [reading.record() for reading in ticking(0, 300, 1000)]
    discarding = [HOME, Calibration(100_000, ignores_all=True), Calibration(200_000, gap_limit_ms=60_000)]
    assert total_wh(records, discarding) == 90 + 100
    shorter = [HOME, Calibration(100_000, ignores_all=True), Calibration(140_000, gap_limit_ms=60_000)]
    assert total_wh(records, shorter) == 300


def test_what_a_register_counted_elsewhere_is_left_out_however_short_that_was() -> None:
    records = [At(at_s, 1000 + at_s + (500 if at_s > 50 else 0)).record() for at_s in range(0, 301, 10)]
    free = msgspec.structs.replace(HOME, limit_mw=None)
    assert total_wh(records, [free]) == 800
    assert total_wh(records, [free, msgspec.structs.replace(free, from_ms=55_000, moved_ms=55_000)]) == 290


def test_an_ignored_device_is_as_if_it_had_never_spoken() -> None:
    ignoring = [Calibration(0, gap_limit_ms=60_000, ignored_devices=(2,))]
    mine = [reading.record() for reading in ticking(0, 120, 1000)]
    other = [reading.record() for reading in ticking(5, 115, 0, w=9, device=2)]
    both = sorted([*mine, *other], key=lambda record: record.time_ms)
    assert spans_of(both, ignoring) == spans_of(mine, ignoring)
    assert np.array_equal(curve(columns_of(both), ignoring).time_ms, [record.time_ms for record in mine])


def test_while_all_is_ignored_there_is_a_gap() -> None:
    records = [At(at_s, w=3600).record() for at_s in range(0, 301, 10)]
    ignoring = [HOME, Calibration(100_000, ignores_all=True), Calibration(200_000)]
    assert total_wh(records, ignoring) == 90 + 100


def test_an_ignored_record_neither_closes_a_quarter_hour_nor_leaves_the_suspects_of_another() -> None:
    state, _ = pipeline.run(pipeline.START, [At(0, w=3600).record(), At(10, w=99_999).record()], [HOME])
    assert state.energy.suspects
    after, closed = pipeline.step(state, At(5000, w=1).record(), Calibration(0, ignores_all=True))
    assert closed == ()
    assert after.energy.suspects == ()
    assert pipeline.first_open_ms(after) == 0
    assert pipeline.open_intervals(after) == pipeline.open_intervals(state)


def test_a_register_given_up_while_in_doubt_begins_anew() -> None:
    silent = [At(at_s, w=3600) for at_s in range(70, 7 * HOUR_S, 60)]
    records = [reading.record() for reading in [*ticking(0, 60, 1000), At(65, 99_000, 3600), *silent]]
    records.append(At(7 * HOUR_S, 5, 3600).record())
    assert total_wh(records, [Calibration(0, gap_limit_ms=120_000)]) == pytest.approx(7 * HOUR_S)


def test_values_that_never_agree_are_all_set_aside_and_power_says_what_was_used() -> None:
    wild = [At(at_s, at_s * 7 % 110 * 1000 * KWH, 3600).record() for at_s in range(10, 6 * HOUR_S, 10)]
    records = [At(0, 500 * KWH, 3600).record(), *wild]
    state = energy.START
    for record in records:
        state, _ = energy.step(state, record, HOME)
        assert len(state.open) < 30
    assert total_wh(records, [HOME]) == 6 * HOUR_S - 10
