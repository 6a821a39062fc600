"""The demo home's history, taken in by a real home."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.recorder.recorder import Recorder
from casawatt.recordings.shipped import appliances, mains
from casawatt.recordings.trace import DAY_S
from casawatt.registry import Registry
from casawatt.sources import ecms_udp
from casawatt.store.store import Store
from casawatt.virtual.demo import ZONE, demo_config, fill_history
from tests.fakes.clock import ManualClock

NEW_YEAR_MS = 1_767_222_000_000  # 2026-01-01T00:00 in Rome
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def test_yesterday_has_the_energy_that_was_recorded_and_the_mains_is_the_sum(tmp_path: Path) -> None:
    config = demo_config(tmp_path)
    traits = {"ecms_udp": config.source_options("ecms_udp", ecms_udp.Config).traits}
    now_ms = NEW_YEAR_MS + DAY_MS + HOUR_MS
    store = Store.open(tmp_path, zone=ZoneInfo(ZONE))
    registry = Registry(store.registry, config.home, traits)
    registry.apply(config.meters, now_ms)
    recorder = Recorder(store, registry, ManualClock(now_ms))
    recorder.recover()

    count = fill_history(recorder.put, None, now_ms, config.home.zone)
    recorder.settle()

    assert recorder.recorded == count
    assert registry.new_devices() == []
    for slug, trace in {**appliances(), "mains": mains()}.items():
        if slug not in config.meters:
            continue
        meter = registry.meter(slug)
        day = store.energy(meter.meter_id, NEW_YEAR_MS, NEW_YEAR_MS + DAY_MS, registry.calibrations(meter))
        expected_wh = trace.energy_before_ws(DAY_S) / 3600
        error_max = 0.03 if slug == "fridge" else 0.0001  # version 1 measures in steps of 20 mA
        assert day.energy_wh == pytest.approx(expected_wh, rel=error_max), slug
        assert day.coverage_ratio == 1.0, slug
    store.close()
