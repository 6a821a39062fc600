"""Streams of records as devices really send them, for property tests."""

from hypothesis import strategies as st

from casawatt.model.meter import NEVER_MS, Cadence, Calibration
from casawatt.model.reading import Record

BASE_MS = 1_700_000_100_000
"""A usual time, on the edge of a quarter-hour."""

_steps_ms = st.one_of(
    st.integers(1, 60_000),
    st.integers(1, 20_000),
    st.sampled_from([1, 10_000, 60_000, 60_001, 900_000, 4_000_000, 90_000_000]),
)
_powers_mw = st.one_of(
    st.integers(-3_000_000, 4_000_000),
    st.just(0),
    st.integers(0, 100_000),
    st.sampled_from([50_000_000, 50_000_001, -50_000_001, 65_535_000, 2**32]),
)
_currents_ma = st.one_of(st.integers(-200_000, 300_000), st.sampled_from([0, 10**7]))
_bumps = st.one_of(
    st.integers(0, 5_000),
    st.integers(-100, 0),
    st.integers(-30_000, 30_000),
    st.sampled_from([-(10**9), -50_000, -2_000, 0, 0, 10_000, 10**6, 2**32, 10**8]),
)


@st.composite
def streams(
    draw: st.DrawFn, *, silent_registers: bool = True, power: bool = True, min_size: int = 2, max_size: int = 30
) -> list[Record]:
    """Records in ascending time: power, current, registers, gaps, reboots, other devices, and what cannot be.

    Registers grow, tremble, jump and come back, fall, fall back and count on, and wrap. Without `silent_registers`, a
    register speaks in every record or in none.
    """
    size = draw(st.integers(min_size, max_size))
    kinds = draw(st.sampled_from([(), ("register_mwh",), ("charge_mas",), ("register_mwh", "charge_mas")]))
    always = not silent_registers or draw(st.booleans())
    with_boot = draw(st.booleans())
    time_ms, device_id, boot_id = BASE_MS + draw(st.integers(0, 900_000)), 1, 1
    shown = {kind: draw(st.sampled_from([0, 5_000, 2**32 - 2_000, 10**9 - 300])) for kind in kinds}
    told = dict(shown)
    records = []
    for _ in range(size):
        fields: dict[str, int] = {}
        if power and draw(st.integers(0, 9)) < 8:
            channel = draw(st.sampled_from(["power_mw", "power_mw", "current_ma"]))
            fields[channel] = draw(_powers_mw if channel == "power_mw" else _currents_ma)
        if draw(st.integers(0, 9)) < 2:
            fields["voltage_mv"] = draw(st.integers(200_000, 250_000))
            fields["power_factor_e4"] = draw(st.integers(0, 10_000))
        for kind in kinds:
            back = draw(st.integers(0, 9)) == 0
            told[kind], shown[kind] = shown[kind], max(0, told[kind] if back else shown[kind] + draw(_bumps))
            if always or draw(st.booleans()):
                fields[kind] = shown[kind]
        if with_boot:
            boot_id += draw(st.integers(0, 19)) == 0
            fields["boot_id"] = boot_id
        device_id = draw(st.integers(1, 2)) if draw(st.integers(0, 19)) == 0 else device_id
        records.append(Record(time_ms, device_id, **fields))
        time_ms += draw(_steps_ms)
    return records


@st.composite
def calibration_lists(draw: st.DrawFn) -> list[Calibration]:
    """One calibration or several, dated before and inside the streams; some set aside more, and some ignore."""
    dates = [0, *sorted(draw(st.lists(st.integers(BASE_MS, BASE_MS + 2_000_000), max_size=3)))]
    return [
        Calibration(
            date,
            draw(st.sampled_from([230_000, 120_000])),
            draw(st.sampled_from([10_000, 6_543])),
            draw(st.sampled_from(list(Cadence))),
            draw(st.sampled_from([60_000, 30_000, 5_000_000])),
            draw(st.sampled_from([50_000_000, 50_000_000, 5_000_000, 1_000, None])),
            draw(st.sampled_from([(), (), (), (2,), (1, 7)])),
            draw(st.integers(0, 9)) == 0,
            draw(st.booleans()),
            draw(st.one_of(st.just(NEVER_MS), st.integers(BASE_MS, max(date, BASE_MS)))),
        )
        for date in dates
    ]
