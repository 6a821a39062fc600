"""Looking for devices, over HTTP."""

import httpx
import pytest

from casawatt.web.findings import ChannelDocument, FailureDocument, FindingDocument, Search
from tests.web.homes import TestHome, at
from tests.web.test_live import events

URL = "/api/v1/discovery"

FOUND = FindingDocument(
    "shelly",
    "Kettle",
    "Plug S",
    "192.168.1.20",
    None,
    [ChannelDocument("shellyplugs-a1/0", "kettle"), ChannelDocument("shellyplugs-a1/1", None)],
    adoptable=False,
    options={"hosts": ["192.168.1.20"]},
    config='[source.shelly]\nhosts = ["192.168.1.20"]\n',
)


async def test_before_the_first_search_nothing_was_looked_for(client: httpx.AsyncClient) -> None:
    assert (await client.get(URL)).json() == {
        "running": False,
        "started": None,
        "finished": None,
        "waiting": [],
        "found": [],
        "failed": [],
    }


async def test_a_search_that_has_ended_says_what_and_who_failed(home: TestHome, client: httpx.AsyncClient) -> None:
    start_ms = at("2026-03-10T12:00:00+01:00")
    home.searching = Search(start_ms, start_ms + 5000, [], [FOUND], [FailureDocument("kasa", "not installed")])
    document = (await client.get(URL)).json()
    assert (document["started"], document["finished"]) == ("2026-03-10T12:00:00+01:00", "2026-03-10T12:00:05+01:00")
    assert document["running"] is False
    assert document["found"] == [
        {
            "source": "shelly",
            "name": "Kettle",
            "model": "Plug S",
            "where": "192.168.1.20",
            "note": None,
            "channels": [
                {"address": "shellyplugs-a1/0", "meter": "kettle"},
                {"address": "shellyplugs-a1/1", "meter": None},
            ],
            "adoptable": False,
            "options": {"hosts": ["192.168.1.20"]},
            "config": '[source.shelly]\nhosts = ["192.168.1.20"]\n',
        }
    ]
    assert document["failed"] == [{"source": "kasa", "why": "not installed"}]


async def test_a_search_is_begun_and_every_open_page_hears_of_it(home: TestHome, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/api/v1/live") as response:
        stream = events(response)
        await anext(stream)
        begun = await client.post(URL, json={})
        name, document = await anext(stream)
    assert begun.status_code == 202
    assert begun.json() == document
    assert (name, document["running"], document["waiting"]) == ("discovery", True, ["shelly"])
    await client.post(URL, json={"timeout_s": 20})
    assert home.timeouts_s == [5, 20]


@pytest.mark.parametrize(
    ("body", "parameter"), [({"timeout_s": 0}, "timeout_s"), ({"timeout_s": 61}, "timeout_s"), ({"for": 1}, "for")]
)
async def test_a_wish_that_cannot_be_is_refused_by_name(
    home: TestHome, client: httpx.AsyncClient, body: dict[str, object], parameter: str
) -> None:
    response = await client.post(URL, json=body)
    assert (response.status_code, response.json()["parameter"]) == (400, parameter)
    assert home.timeouts_s == []
