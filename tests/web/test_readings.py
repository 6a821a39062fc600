"""Readings as columns: asked for and sent."""

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casawatt.model.columns import ABSENT
from casawatt.model.interval import Bucket, How
from casawatt.web import readings
from casawatt.web.readings import mean_w
from tests.web.homes import TestHome, at

READINGS = "/api/v1/meters/washing-machine/readings"
MORNING = {"start": "2026-03-10T06:00:00+01:00", "end": "2026-03-10T07:00:00+01:00"}


async def test_raw_readings_are_what_was_recorded(home: TestHome, client: httpx.AsyncClient) -> None:
    first_ms = at("2026-03-10T06:00:00+01:00")
    home.put(
        home.washer,
        [first_ms, first_ms + 1000, first_ms + 2500],
        power_mw=[1_500, 0, 2_000_001],
        current_ma=[10, ABSENT, 8_700],
        boot_id=[7, ABSENT, 7],
    )
    answer = (await client.get(READINGS, params=MORNING)).json()
    assert answer == {
        "meter": "washing-machine",
        "resolution": "raw",
        "time_ms": [first_ms, first_ms + 1000, first_ms + 2500],
        "power_w": [1.5, 0.0, 2000.001],
        "current_a": [0.01, None, 8.7],
        "boot_id": [7, None, 7],
    }


async def test_power_of_a_node_that_only_knows_its_current_comes_from_the_calibration(
    home: TestHome, client: httpx.AsyncClient
) -> None:
    home.put(home.washer, [at("2026-03-10T06:00:00+01:00")], current_ma=[1_000])
    answer = (await client.get(READINGS, params=MORNING)).json()
    assert answer["power_w"] == [218.5]  # 1 A x 230 V x 0.95
    assert answer["current_a"] == [1.0]


async def test_without_a_span_the_readings_of_today_are_given(home: TestHome, client: httpx.AsyncClient) -> None:
    midnight_ms = at("2026-03-10")
    home.put(home.washer, [midnight_ms - 1, midnight_ms, home.clock.time_ms - 1], power_mw=[1, 2, 3])
    assert (await client.get(READINGS)).json()["time_ms"] == [midnight_ms, home.clock.time_ms - 1]


async def test_an_empty_span_gives_empty_columns(client: httpx.AsyncClient) -> None:
    answer = (await client.get(READINGS, params=MORNING)).json()
    assert answer["time_ms"] == answer["power_w"] == []
    minutes = (await client.get(READINGS, params={**MORNING, "resolution": "1m"})).json()
    assert minutes["power_w"] == minutes["max_w"] == [None] * 60
    assert minutes["measured_s"] == [0.0] * 60


async def test_a_span_of_many_days_comes_in_one_piece(home: TestHome, client: httpx.AsyncClient) -> None:
    times = np.arange(at("2026-03-01"), at("2026-03-08"), 5_000)
    home.put(home.washer, times, power_mw=np.arange(len(times)), voltage_mv=np.where(times < times[9], ABSENT, 230_000))
    answer = (await client.get(READINGS, params={"start": "2026-03-01", "end": "2026-03-08"})).json()
    assert answer["time_ms"] == times.tolist()
    assert answer["power_w"] == (np.arange(len(times)) / 1000).tolist()
    assert answer["voltage_v"][8:10] == [None, 230.0]


async def test_too_many_readings_are_not_sent(
    home: TestHome, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "POINTS_MAX", 1000)
    times = at("2026-02-01") + np.arange(1001) * 600_000
    home.put(home.washer, times, power_mw=np.ones_like(times))
    response = await client.get(READINGS, params={"start": "2026-02-01"})
    assert (response.status_code, response.json()["parameter"]) == (400, "resolution")
    assert "more than 1,000 readings" in response.json()["detail"]


async def test_minutes_quarters_and_hours_have_mean_least_and_most_power(
    home: TestHome, client: httpx.AsyncClient
) -> None:
    first_ms = at("2026-03-10T06:00:00+01:00")
    times = first_ms + np.arange(0, 1801) * 1000
    home.put(home.washer, times, power_mw=np.where(np.arange(1801) % 2, 300_000, 120_000))
    for resolution, count in (("1m", 60), ("15m", 4), ("1h", 1)):
        answer = (await client.get(READINGS, params={**MORNING, "resolution": resolution})).json()
        assert list(answer) == ["meter", "resolution", "time_ms", "power_w", "min_w", "max_w", "measured_s"]
        assert len(answer["time_ms"]) == count
        assert answer["time_ms"][0] == first_ms
        assert (answer["power_w"][0], answer["min_w"][0], answer["max_w"][0]) == (210.0, 120.0, 300.0)
    quarters = (await client.get(READINGS, params={**MORNING, "resolution": "15m"})).json()
    assert quarters["power_w"] == [210.0, 210.0, None, None]
    assert quarters["measured_s"] == [900.0, 900.0, 0.0, 0.0]


def test_energy_from_across_a_gap_belongs_to_the_whole_bucket() -> None:
    hour = Bucket(0, 3_600_000, energy_mwh=500_000, measured_ms=1_800_000, how=int(How.HOLD))
    assert mean_w(hour) == 1000.0
    spread = Bucket(0, 3_600_000, energy_mwh=500_000, measured_ms=1_800_000, how=int(How.REGISTER | How.SPREAD))
    assert mean_w(spread) == 500.0


@pytest.mark.parametrize(
    ("query", "parameter", "why"),
    [
        ({"resolution": "5m"}, "resolution", "'5m' is none of raw, 1m, 15m, 1h"),
        ({"start": "yesterday"}, "start", "'yesterday' is not a time"),
        ({"end": "2026-03-10T07:00:00"}, "end", "does not say its offset"),
        ({"start": "2026-03-10", "end": "2026-03-10"}, "start", "must start before it ends"),
        ({"start": "2027-01-01"}, "start", "now as end being the default"),
        ({"end": "2020-01-01"}, "end", "today's beginning as start being the default"),
        ({"begin": "2026-03-10"}, "begin", "there are: end, resolution, start"),
        ({"start": "1970-01-01", "resolution": "1m"}, "start", "1,000,000 minutes"),
        ({"start": "1970-01-01", "resolution": "15m"}, "start", "100,000 buckets"),
        ([("end", "2026-03-10"), ("end", "2026-03-11")], "end", "more than once"),
    ],
)
async def test_a_wrong_parameter_is_named_with_the_reason(
    client: httpx.AsyncClient, query: dict[str, str], parameter: str, why: str
) -> None:
    response = await client.get(READINGS, params=query)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["parameter"] == parameter
    assert why in response.json()["detail"]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    path=st.sampled_from(["readings", "energy"]),
    start=st.text(max_size=30) | st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.dates().map(str),
    end=st.text(max_size=30) | st.datetimes().map(lambda moment: moment.isoformat() + "+05:30") | st.dates().map(str),
    kind=st.sampled_from(["raw", "1m", "15m", "1h", "hour", "day", "month", "year"]) | st.text(max_size=5),
)
async def test_no_parameter_makes_the_service_stumble(
    client: httpx.AsyncClient, path: str, start: str, end: str, kind: str
) -> None:
    kinds = {"readings": "resolution", "energy": "bucket"}
    query = {"start": start, "end": end, kinds[path]: kind}
    response = await client.get(f"/api/v1/meters/freezer/{path}", params=query)
    assert response.status_code in {200, 400}
    assert response.status_code == 200 or response.json()["parameter"] in query


async def test_readings_are_sent_as_columns(home: TestHome, client: httpx.AsyncClient) -> None:
    body = {"time_ms": [1, 2, 3], "power_w": [1.5, None, 3], "boot_id": [1, 1, None], "device": "old plug"}
    response = await client.post(READINGS, json=body)
    assert response.status_code == 200
    assert response.json() == {"recorded": 2, "duplicates": 0, "rejected": [{"index": 0, "cause": "out_of_range"}]}
    slug, columns = home.imported[0]
    assert (slug, columns.time_ms, columns.power_w) == ("washing-machine", [1, 2, 3], [1.5, None, 3.0])
    assert (columns.voltage_v, columns.device) == (None, "old plug")


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "time_ms"),
        ({"time_ms": [1]}, "power_w"),
        ({"time_ms": [1], "device": "x"}, "power_w"),
        ({"time_ms": [1, 2], "power_w": [1]}, "power_w"),
        ({"time_ms": [1, "x"], "power_w": [1, 2]}, "time_ms[1]"),
        ({"time_ms": [1.5], "power_w": [1]}, "time_ms[0]"),
        ({"time_ms": [1], "watts": [1]}, "watts"),
        ([], "body"),
    ],
)
async def test_a_wrong_column_is_named(client: httpx.AsyncClient, body: object, parameter: str) -> None:
    response = await client.post(READINGS, json=body)
    assert response.status_code == 400
    assert response.json()["parameter"] == parameter


async def test_readings_for_an_unknown_meter_are_not_taken(home: TestHome, client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/meters/boiler/readings", json={"time_ms": [1], "power_w": [1]})
    assert response.status_code == 404
    assert home.imported == []
