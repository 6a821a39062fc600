"""The digest of a real day: recordings of the tracebase data set that come with casawatt.

Contains information from the tracebase data set, which is made available at http://www.tracebase.org under the Open
Database License (ODbL).
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from casawatt.answers.home import answers_of
from casawatt.app_home import OpenHome
from casawatt.model.digest import Digest, Part
from casawatt.model.reading import Reading
from casawatt.recordings.shipped import appliances
from casawatt.recordings.trace import DAY_S, Trace
from tests.answers.home_of_days import CONFIG, at, home_at

METERS = ("fridge", "washing-machine", "router")
OTHERS = "".join(
    f'\n[meter.{slug}]\nsource = "ecms_udp"\naddress = "{slug}"\nparent = "mains"\ncadence = "change"\n'
    for slug in METERS[1:]
)


def say(home: OpenHome, slug: str, trace: Trace) -> None:
    """Let a device say its power whenever it changes, and every ten minutes."""
    (binding,) = home.registry.bindings(home.registry.meter(slug))
    for second in sorted({*trace.start_s, *range(0, DAY_S, 600)}):
        time_ms = at("2026-03-10") + second * 1000
        home.recorder.put(
            Reading(
                source="ecms_udp",
                address=binding.device.address,
                received_ms=time_ms,
                time_ms=time_ms,
                power_w=float(trace.power_at(second)),
            )
        )
    end_ms = at("2026-03-11")
    home.recorder.put(
        Reading(source="ecms_udp", address=binding.device.address, received_ms=end_ms, time_ms=end_ms, power_w=0.0)
    )
    home.recorder.settle()


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Digest]:
    folder: Path = tmp_path_factory.mktemp("recorded")
    with home_at(folder, "2026-03-11T12:00:00", CONFIG + OTHERS) as home:
        for slug in METERS:
            say(home, slug, appliances()[slug])
        yield answers_of(home.config, home.store, home.registry, home.recorder, home.clock).digests.of(
            date(2026, 3, 10), [1, 15, 60]
        )


def of(digest: Digest, slug: str) -> tuple[Part, Trace]:
    (part,) = [each for each in digest.meters if each.slug == slug]
    return part, appliances()[slug]


@pytest.mark.parametrize("slug", METERS)
def test_energy_peak_and_means_are_those_of_the_recording(digest: Digest, slug: str) -> None:
    part, trace = of(digest, slug)
    exact_ws = trace.energy_before_ws(DAY_S)
    assert part.energy_mwh == pytest.approx(exact_ws / 3.6, abs=48)  # each of 96 quarter-hours is rounded by half a mWh
    assert (part.measured_ms, part.gaps) == (DAY_S * 1000, ())
    assert part.peak is not None
    highest_w = max(trace.power_w)
    assert (part.peak.power_mw, part.peak.span_ms) == (highest_w * 1000, 0)
    first_s = trace.start_s[trace.power_w.index(highest_w)]
    assert part.peak.time_ms == at("2026-03-10") + first_s * 1000
    for curve in part.curves:
        length_s = curve.resolution_min * 60
        edges_s = range(0, DAY_S + 1, length_s)
        before_ws = np.array([trace.energy_before_ws(each) for each in edges_s])
        assert curve.power_mw == pytest.approx(np.diff(before_ws) / length_s * 1000, abs=5)


def test_standby_of_a_real_fridge_a_washing_machine_and_a_router_is_what_their_quiet_hours_say(digest: Digest) -> None:
    for slug in METERS:
        part, trace = of(digest, slug)
        watts = sorted(
            (trace.energy_before_ws(begin + 900) - trace.energy_before_ws(begin)) / 900
            for begin in range(0, DAY_S, 900)
        )
        assert part.standby is not None
        assert part.standby.power_mw == pytest.approx((watts[11] + watts[12]) / 2 * 1000, abs=3)
    router, _ = of(digest, "router")
    assert router.standby is not None
    assert router.mean_mw is not None
    assert router.standby.power_mw > router.mean_mw * 0.9
