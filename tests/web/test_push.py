"""Readings that devices hand in themselves."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from casawatt.model.ports import NOT_NOW
from casawatt.sources.http_push import Config, run
from casawatt.transports.push import READINGS_MAX, Desk
from casawatt.web import push
from casawatt.web.ports import Health, StoreHealth
from tests.fakes.inbox import RecordingInbox
from tests.web.homes import TestHome, serving
from tests.web.test_openapi import check, described

TOKEN, OTHER = "garage-" + "x" * 32, "boiler-" + "y" * 32
PATH = "/api/v1/readings"
CAPTURES = Path(__file__).parents[1] / "captures" / "http_push"
NEW_YEAR_MS = 1_767_225_600_000


class Pushing:
    """A served home with a running source, and a client with a token."""

    def __init__(self, client: httpx.AsyncClient, inbox: RecordingInbox, home: TestHome, source: asyncio.Task[None]):
        self.client = client
        self.inbox = inbox
        self.home = home
        self.source = source

    async def send(self, body: object, token: str | None = TOKEN) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.post(PATH, json=body, headers=headers)

    async def outcomes(self, body: object) -> list[str]:
        response = await self.send(body)
        assert response.status_code == 200, response.text
        return [result["outcome"] for result in response.json()["results"]]


@pytest_asyncio.fixture
async def pushing(home: TestHome, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pushing]:
    monkeypatch.setenv("CASAWATT_HTTP_PUSH_TOKENS", f"garage={TOKEN} boiler={OTHER}")
    home.desk = Desk()
    inbox = RecordingInbox()
    source = asyncio.create_task(run(Config(max_requests_per_s=20), inbox, home.desk))
    async with serving(home) as client:
        yield Pushing(client, inbox, home, source)
    source.cancel()
    await asyncio.gather(source, return_exceptions=True)


async def test_one_reading_is_recorded_under_its_sender(pushing: Pushing) -> None:
    response = await pushing.send({"power_w": 12.5, "register_wh": 100, "boot_id": 7})
    assert response.json() == {
        "recorded": 1,
        "duplicates": 0,
        "not_adopted": 0,
        "refused": 0,
        "results": [{"index": 0, "address": "garage", "outcome": "recorded"}],
    }
    (reading,) = pushing.inbox.readings
    assert (reading.source, reading.address, reading.power_w) == ("http_push", "garage", 12.5)
    assert (reading.register_wh, reading.boot_id, reading.time_ms) == (100.0, 7, None)
    assert reading.received_ms == pushing.inbox.clock.now_ms()


async def test_a_sender_s_devices_have_addresses_under_its_name_and_nobody_else_s(pushing: Pushing) -> None:
    await pushing.send({"address": "pump", "power_w": 1})
    await pushing.send({"address": "garage/pump", "power_w": 2}, OTHER)
    assert [reading.address for reading in pushing.inbox.readings] == ["garage/pump", "boiler/garage/pump"]


@pytest.mark.parametrize("name", ["curl", "micropython", "batch"])
async def test_the_documented_requests_are_taken(pushing: Pushing, name: str) -> None:
    body = json.loads((CAPTURES / f"{name}.json").read_text())
    assert set(await pushing.outcomes(body)) == {"recorded"}


async def test_a_batch_keeps_its_times_whatever_way_they_are_written(pushing: Pushing) -> None:
    await pushing.send(json.loads((CAPTURES / "batch.json").read_text()))
    assert [reading.time_ms for reading in pushing.inbox.readings] == [
        NEW_YEAR_MS,
        NEW_YEAR_MS + 60_000,
        NEW_YEAR_MS + 120_000,
    ]


async def test_the_same_request_again_counts_as_duplicates_and_records_nothing(pushing: Pushing) -> None:
    body = json.loads((CAPTURES / "batch.json").read_text())
    assert await pushing.outcomes(body) == ["recorded"] * 3
    assert await pushing.outcomes(body) == ["duplicate"] * 3
    assert len(pushing.inbox.readings) == 3


async def test_what_became_of_each_reading_is_said_in_its_place(pushing: Pushing) -> None:
    pushing.inbox.adopted = {"garage/a", "garage/b"}
    pushing.inbox.nonsense = lambda reading: (reading.power_w or 0) > 1e6
    body = {"readings": [{"address": name, "power_w": power} for name, power in (("a", 1), ("c", 2), ("b", 2e6))]}
    response = await pushing.send(body)
    assert response.json()["results"] == [
        {"index": 0, "address": "garage/a", "outcome": "recorded"},
        {"index": 1, "address": "garage/c", "outcome": "not_adopted"},
        {"index": 2, "address": "garage/b", "outcome": "refused", "cause": "out_of_range"},
    ]
    counts = {name: response.json()[name] for name in ("recorded", "duplicates", "not_adopted", "refused")}
    assert counts == {"recorded": 1, "duplicates": 0, "not_adopted": 1, "refused": 1}


@pytest.mark.parametrize("token", [None, "x" * 40, TOKEN[:-1], TOKEN + "x", TOKEN.upper()])
async def test_without_the_right_token_nothing_is_taken(pushing: Pushing, token: str | None) -> None:
    response = await pushing.send({"power_w": 1}, token)
    assert (response.status_code, response.json()["parameter"]) == (401, "Authorization")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert pushing.inbox.readings == []
    assert pushing.inbox.causes() == {"token": 1}
    assert TOKEN[:-1] not in str(pushing.inbox.details)


async def test_a_token_is_a_bearer_s_and_nothing_else(pushing: Pushing) -> None:
    response = await pushing.client.post(PATH, json={"power_w": 1}, auth=("garage", TOKEN))
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"readings": [{"power_w": 1}, {"power_w": "x"}]}, "readings[1].power_w"),
        ({"readings": [{"power_w": 1}, {"powr_w": 2}]}, "readings[1].powr_w"),
        ({"readings": [{"power_w": 1}, {"power_w": 1, "time": "2026-01-01T00:00:00"}]}, "readings[1].time"),
        ({"readings": [{"power_w": 1, "time": "2026-01-01"}]}, "readings[0].time"),
        ({"readings": [{"power_w": 1, "time": "soon"}]}, "readings[0].time"),
        ({"readings": [{"power_w": 1, "time": "2026-01-01T00:00:00Z", "time_ms": 5}]}, "readings[0].time"),
        ({"readings": [{"address": "a b", "power_w": 1}]}, "readings[0].address"),
        ({"readings": [{"address": "", "power_w": 1}]}, "readings[0].address"),
        ({"readings": [{"address": "/etc", "power_w": 1}]}, "readings[0].address"),
        ({"readings": [{"address": "pump\n", "power_w": 1}]}, "readings[0].address"),
        ({"readings": [{"boot_id": 1}]}, "readings[0].power_w"),
        ({"readings": [], "power_w": 1}, "readings"),
        ({"readings": [{"power_w": 1}] * (READINGS_MAX + 1)}, "readings"),
        ({"time_ms": 1}, "power_w"),
        ({"power_w": True}, "power_w"),
        ({"power_w": 1, "time_ms": -1}, "time_ms"),
        ({"power_w": 1, "colour": "red"}, "colour"),
        ([1], "body"),
    ],
)
async def test_a_body_that_is_wrong_names_the_field_and_records_nothing(
    pushing: Pushing, body: object, parameter: str
) -> None:
    response = await pushing.send(body)
    assert (response.status_code, response.json()["parameter"]) == (400, parameter)
    assert pushing.inbox.heard == []


async def test_a_body_that_is_no_json_or_too_large_is_refused(pushing: Pushing) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    form = await pushing.client.post(PATH, data={"power_w": "1"}, headers=headers)
    assert (form.status_code, form.json()["parameter"]) == (415, "Content-Type")
    headers["Content-Type"] = "application/json"
    assert (await pushing.client.post(PATH, content=b"{", headers=headers)).status_code == 400
    large = b" " * (push.BODY_MAX_BYTES + 1)
    assert (await pushing.client.post(PATH, content=large, headers=headers)).status_code == 413


async def test_a_page_from_elsewhere_cannot_push_even_with_a_token(pushing: Pushing) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}
    assert (await pushing.client.post(PATH, json={"power_w": 1}, headers=headers)).status_code == 403


async def test_a_sender_gone_wild_is_held_back_and_others_are_not(pushing: Pushing) -> None:
    statuses = [(await pushing.send({"power_w": 1})).status_code for _ in range(60)]
    assert set(statuses) == {200, 429}
    assert (await pushing.send({"power_w": 1}, OTHER)).status_code == 200
    assert pushing.inbox.refused["garage", "flood"] == statuses.count(429)


async def test_it_is_answered_only_when_the_readings_survive_a_killed_process(
    pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = asyncio.Event()
    monkeypatch.setattr(pushing.inbox, "kept", written.wait)
    sending = asyncio.create_task(pushing.send({"power_w": 1}))
    await pushing.inbox.until(lambda inbox: len(inbox.readings) == 1)
    await pushing.client.get("/healthz")
    assert not sending.done()
    written.set()
    assert (await sending).status_code == 200


async def test_a_disk_that_takes_too_long_is_to_be_tried_again_later(
    pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "KEPT_WITHIN_S", 0.0)
    monkeypatch.setattr(pushing.inbox, "kept", asyncio.Event().wait)
    response = await pushing.send({"power_w": 1})
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


async def test_a_full_disk_takes_nothing_and_says_when_to_try_again(pushing: Pushing) -> None:
    pushing.home.state = Health("failing", 0, StoreHealth("the disk is full", 1, 1), [])
    response = await pushing.send({"power_w": 1})
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert "the disk is full" in response.json()["detail"]
    assert pushing.inbox.heard == []


async def test_a_disk_that_is_full_meanwhile_is_not_called_a_new_device(
    pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> int:
        pushing.home.state = Health("failing", 0, StoreHealth("the disk is full", 1, 1), [])
        return NOT_NOW

    monkeypatch.setattr(pushing.inbox, "put", full)
    assert (await pushing.send({"power_w": 1})).status_code == 503


async def test_without_the_source_in_the_config_there_is_nothing_to_push_to(client: httpx.AsyncClient) -> None:
    response = await client.post(PATH, json={"power_w": 1})
    assert response.status_code == 404
    assert "[source.http_push]" in response.json()["detail"]


async def test_while_the_source_does_not_run_it_is_to_be_tried_again(pushing: Pushing) -> None:
    pushing.source.cancel()
    await asyncio.gather(pushing.source, return_exceptions=True)
    response = await pushing.send({"power_w": 1})
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("body", "token"),
    [({"power_w": 1}, TOKEN), ({"readings": [{"power_w": 1, "time_ms": 1}]}, TOKEN), ({"powr": 1}, TOKEN), ({}, "x")],
)
async def test_requests_and_answers_have_the_described_form(pushing: Pushing, body: object, token: str) -> None:
    document = await described(pushing.client)
    operation = document["paths"][PATH]["post"]
    check(document, operation, await pushing.send(body, token))
    assert operation["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
