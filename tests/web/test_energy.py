"""Energy by calendar buckets of the home's zone."""

from datetime import datetime
from itertools import pairwise

import httpx
import numpy as np
import pytest

from tests.web.homes import TestHome, at

ENERGY = "/api/v1/meters/washing-machine/energy"


async def test_energy_has_the_designed_shape(home: TestHome, client: httpx.AsyncClient) -> None:
    times = np.arange(at("2026-03-10T06:00:00+01:00"), at("2026-03-10T07:30:00+01:00") + 1, 30_000)
    home.put(home.washer, times, power_mw=np.full(len(times), 1_000_000))
    query = {"start": "2026-03-10T06:00:00+01:00", "end": "2026-03-10T08:00:00+01:00", "bucket": "hour"}
    assert (await client.get(ENERGY, params=query)).json() == {
        "meter": "washing-machine",
        "buckets": [
            {
                "start": "2026-03-10T06:00:00+01:00",
                "end": "2026-03-10T07:00:00+01:00",
                "energy_wh": 1000.0,
                "measured_s": 3600.0,
                "coverage": 1.0,
                "max_w": 1000.0,
            },
            {
                "start": "2026-03-10T07:00:00+01:00",
                "end": "2026-03-10T08:00:00+01:00",
                "energy_wh": 500.0,
                "measured_s": 1800.0,
                "coverage": 0.5,
                "max_w": 1000.0,
            },
        ],
        "total": {
            "start": "2026-03-10T06:00:00+01:00",
            "end": "2026-03-10T08:00:00+01:00",
            "energy_wh": 1500.0,
            "measured_s": 5400.0,
            "coverage": 0.75,
            "max_w": 1000.0,
        },
    }


async def test_what_was_not_measured_is_said_and_not_filled(client: httpx.AsyncClient) -> None:
    total = (await client.get(ENERGY)).json()["total"]
    assert (total["energy_wh"], total["measured_s"], total["coverage"], total["max_w"]) == (0.0, 0.0, 0.0, None)


async def test_nearly_all_is_never_called_all(home: TestHome, client: httpx.AsyncClient) -> None:
    times = np.arange(at("2026-03-10"), at("2026-03-11") - 1000, 1000)
    home.put(home.washer, times, power_mw=np.ones_like(times))
    query = {"start": "2026-03-10", "end": "2026-03-11", "bucket": "day"}
    assert (await client.get(ENERGY, params=query)).json()["total"]["coverage"] == 0.9999


@pytest.mark.parametrize(
    ("day", "next_day", "hours"),
    [("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25), ("2026-07-01", "2026-07-02", 24)],
)
async def test_a_day_lasts_as_long_as_the_clocks_say(
    home: TestHome, client: httpx.AsyncClient, day: str, next_day: str, hours: int
) -> None:
    times = np.arange(at(day), at(next_day) + 1, 60_000)
    home.put(home.washer, times, power_mw=np.full(len(times), 100_000))
    query = {"start": day, "end": next_day}
    whole = (await client.get(ENERGY, params={**query, "bucket": "day"})).json()
    assert len(whole["buckets"]) == 1
    assert whole["total"]["energy_wh"] == 100.0 * hours
    assert (whole["total"]["measured_s"], whole["total"]["coverage"]) == (hours * 3600.0, 1.0)
    by_hour = (await client.get(ENERGY, params={**query, "bucket": "hour"})).json()["buckets"]
    assert [bucket["energy_wh"] for bucket in by_hour] == [100.0] * hours
    assert len({bucket["start"] for bucket in by_hour}) == hours


@pytest.mark.parametrize(
    ("bucket", "starts"),
    [
        ("month", ["2025-12-15", "2026-01-01", "2026-02-01", "2026-03-01"]),
        ("year", ["2025-12-15", "2026-01-01"]),
    ],
)
async def test_buckets_follow_the_calendar_and_are_cut_to_the_span(
    client: httpx.AsyncClient, bucket: str, starts: list[str]
) -> None:
    query = {"start": "2025-12-15", "end": "2026-03-05", "bucket": bucket}
    answer = (await client.get(ENERGY, params=query)).json()
    assert [item["start"] for item in answer["buckets"]] == [f"{start}T00:00:00+01:00" for start in starts]
    assert answer["total"]["end"] == "2026-03-05T00:00:00+01:00"


async def test_quarter_hours_join_without_a_hole(client: httpx.AsyncClient) -> None:
    query = {"start": "2026-03-29", "end": "2026-03-30", "bucket": "15m"}
    buckets = (await client.get(ENERGY, params=query)).json()["buckets"]
    assert len(buckets) == 23 * 4
    assert all(one["end"] == other["start"] for one, other in pairwise(buckets))
    assert all(
        datetime.fromisoformat(one["end"]).timestamp() - datetime.fromisoformat(one["start"]).timestamp() == 900
        for one in buckets
    )


async def test_a_plus_that_became_a_space_is_understood(client: httpx.AsyncClient) -> None:
    query = "start=2026-03-10T06:00:00+01:00&end=2026-03-10T07:00:00+01:00"
    answer = (await client.get(f"{ENERGY}?{query}")).json()
    assert answer["total"]["start"] == "2026-03-10T06:00:00+01:00"


async def test_an_unknown_bucket_is_named_with_those_that_exist(client: httpx.AsyncClient) -> None:
    problem = (await client.get(ENERGY, params={"bucket": "week"})).json()
    assert problem["parameter"] == "bucket"
    assert problem["detail"] == "bucket: 'week' is none of 15m, hour, day, month, year"
