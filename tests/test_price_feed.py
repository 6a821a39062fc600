"""Prices fetched from a real server on loopback."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from casawatt import price_feed, supervisor
from casawatt.answers.home import answers_of
from casawatt.app import Service
from casawatt.app_home import open_home
from casawatt.config import parse
from casawatt.config_sections import HomeConfig
from casawatt.model.errors import CasawattError, PriceError
from casawatt.model.event import Event
from casawatt.price_feed import PriceFeed, Where
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Registry
from casawatt.store.store import Store
from tests.fakes.clock import ManualClock
from tests.fakes.publisher import Publisher, publishing
from tests.files.price_reading import captured

HOUR_MS = 3_600_000
NOON_MS = 1_767_697_200_000
"""2026-01-06T12:00 in Rome."""
TOKEN = "00000000-1111-2222-3333-444444444444"
AREA = "10YAT-APG------L"


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def hours(question: dict[str, str], rate: Callable[[int], float | int] = lambda _: 100) -> tuple[int, bytes]:
    """Answer like aWATTar: every hour that was asked for, but none after the end of tomorrow, `2026-01-08` in Rome."""
    assert set(question) == {"start", "end"}
    start_ms, end_ms = int(question["start"]), int(question["end"])
    entries = [
        {
            "start_timestamp": time_ms,
            "end_timestamp": time_ms + HOUR_MS,
            "marketprice": rate(time_ms),
            "unit": "Eur/MWh",
        }
        for time_ms in range(start_ms, end_ms, HOUR_MS)
    ]
    return 200, msgspec.json.encode({"object": "list", "data": entries})


class Place:
    """A home's store with one series of prices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(NOON_MS)
        self.store = Store.open(folder / "data", zone=HomeConfig().zone)
        self.events: list[Event] = []
        registry = Registry(self.store.registry, HomeConfig(), {})
        config = parse("[prices.spot]\nformat = 'awattar'", "home.toml")
        recorder = Recorder(self.store, registry, self.clock)
        self.prices = answers_of(config, self.store, registry, recorder, self.clock, self.events.append).prices

    def feed(self, options: str) -> PriceFeed:
        parsed = parse(f"[prices.spot]\n{options}", "home.toml")
        where = Where(parsed.home.zone, parsed.home.currency)
        return PriceFeed("spot", parsed.prices["spot"], where, self.prices, self.clock)

    def kept(self) -> dict[int, Decimal]:
        return self.store.book.prices.rates("spot")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.store.close()


def awattar(publisher: Publisher) -> str:
    return f'format = "awattar"\nurl = "{publisher.url}"\n'


def entsoe(publisher: Publisher, folder: Path) -> str:
    file = folder / "token"
    file.write_text(TOKEN + "\n", encoding="utf-8")
    file.chmod(0o600)
    return f'format = "entsoe"\nurl = "{publisher.url}"\narea = "{AREA}"\ntoken_file = "{file}"\n'


async def test_from_yesterday_to_the_end_of_tomorrow_is_asked_for_and_kept(place: Place) -> None:
    async with publishing(hours) as publisher:
        recorded = await place.feed(awattar(publisher)).fetch()
    assert publisher.asked == [
        {"start": str(ms("2026-01-05T00:00+01:00")), "end": str(ms("2026-01-08T00:00+01:00"))},
    ]
    assert recorded.added == 3 * 96
    assert set(place.kept().values()) == {Decimal("0.1")}


async def test_a_hole_of_the_last_month_is_asked_for_again(place: Place) -> None:
    async with publishing(hours) as publisher:
        feed = place.feed(awattar(publisher))
        await feed.fetch()
        place.clock.advance(10 * 24 * HOUR_MS)
        await feed.fetch()
        assert publisher.asked[1]["start"] == str(ms("2026-01-08T00:00+01:00"))
        place.clock.advance(24 * HOUR_MS)
        await feed.fetch()
        assert publisher.asked[2]["start"] == str(ms("2026-01-16T00:00+01:00"))
        place.clock.advance(90 * 24 * HOUR_MS)
        await feed.fetch()
    first = datetime.fromtimestamp(int(publisher.asked[3]["start"]) / 1000, UTC)
    assert first == datetime(2026, 3, 16, 23, tzinfo=UTC)


async def test_a_price_that_is_corrected_later_is_told_and_does_not_count_by_itself(place: Place) -> None:
    rates = {ms("2026-01-06T09:00+01:00"): 50}
    async with publishing(lambda question: hours(question, lambda time_ms: rates.get(time_ms, 100))) as publisher:
        feed = place.feed(awattar(publisher))
        await feed.fetch()
        before = place.kept()
        rates[ms("2026-01-06T09:00+01:00")] = 55
        rates[ms("2026-01-06T20:00+01:00")] = 66
        recorded = await feed.fetch()
        again = await feed.fetch()
    assert [each.new_per_kwh for each in recorded.noticed] == [Decimal("0.055")]
    assert again.noticed == []
    assert again.differing == recorded.differing
    past = [time_ms for time_ms in before if time_ms < NOON_MS]
    assert [place.kept()[time_ms] for time_ms in past] == [before[time_ms] for time_ms in past]
    assert place.kept()[ms("2026-01-06T20:00+01:00")] == Decimal("0.066")
    (event,) = place.events
    assert (event.type, event.subject) == ("casawatt.price.differs", "spot")
    assert event.data == {
        "start_ms": ms("2026-01-06T09:00+01:00"),
        "end_ms": ms("2026-01-06T10:00+01:00"),
        "quarters": 4,
        "old_per_kwh": "0.05",
        "new_per_kwh": "0.055",
    }
    correction = place.prices.correct("spot", 0, NOON_MS, apply=True)
    assert [each.new_per_kwh for each in correction.changes] == [Decimal("0.055")]
    assert place.kept()[ms("2026-01-06T09:00+01:00")] == Decimal("0.055")


async def test_the_transparency_platform_is_asked_as_it_wants_to_be(place: Place) -> None:
    async with publishing(lambda _: (200, captured("entsoe_quarters.xml"))) as publisher:
        recorded = await place.feed(entsoe(publisher, place.folder)).fetch()
    assert publisher.asked == [
        {
            "documentType": "A44",
            "in_Domain": AREA,
            "out_Domain": AREA,
            "periodStart": "202601042300",
            "periodEnd": "202601072300",
            "securityToken": TOKEN,
        }
    ]
    assert recorded.added == 8


async def test_the_token_of_the_environment_goes_before_that_of_the_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASAWATT_PRICES_SPOT_TOKEN", "another")
    async with publishing(lambda _: (200, captured("entsoe_quarters.xml"))) as publisher:
        await place.feed(entsoe(publisher, place.folder)).fetch()
    assert publisher.asked[0]["securityToken"] == "another"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, b"", "refuses the token of [prices.spot]"),
        (503, b"<html>busy</html>", "answered with status 503"),
        (200, b"<html>busy</html>", "html of type none is no list of day-ahead prices"),
        (200, b"busy", "not XML that can be read"),
        (400, captured("entsoe_none.xml").replace(b"No matching", TOKEN.encode()), "has no prices for this: *** data"),
        (400, captured("entsoe_none.xml"), "No matching data found (code 999)"),
        (400, captured("entsoe_quarters.xml"), "answered with status 400"),
        (302, b"", "answered with status 302"),
    ],
)
async def test_what_is_no_good_answer_is_told_and_the_token_never(
    place: Place, caplog: pytest.LogCaptureFixture, status: int, body: bytes, why: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with publishing(lambda _: (status, body)) as publisher:
        with pytest.raises(PriceError) as caught:
            await place.feed(entsoe(publisher, place.folder)).fetch()
    assert why in str(caught.value)
    assert caught.value.__cause__ is None
    assert TOKEN not in str(caught.value)
    assert TOKEN not in caplog.text
    assert place.kept() == {}


async def test_without_a_token_or_with_one_that_others_may_read_nothing_is_asked(place: Place) -> None:
    async with publishing(lambda _: (200, b"")) as publisher:
        options = entsoe(publisher, place.folder)
        (place.folder / "token").chmod(0o644)
        with pytest.raises(CasawattError, match="may be read by others"):
            await place.feed(options).fetch()
        with pytest.raises(PriceError, match="CASAWATT_PRICES_SPOT_TOKEN"):
            await place.feed(options.partition("token_file")[0]).fetch()
    assert publisher.asked == []


async def test_an_answer_without_end_is_cut_off(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casawatt.transports.download.BYTES_MAX", 1000)
    async with publishing(lambda _: (200, b" " * 1001)) as publisher:
        with pytest.raises(PriceError, match="longer than 1000 bytes"):
            await place.feed(awattar(publisher)).fetch()


async def test_a_server_that_is_not_there_is_an_error_that_is_expected(place: Place) -> None:
    async with publishing(hours) as publisher:
        pass
    with pytest.raises(PriceError, match="ClientConnectorError"):
        await place.feed(awattar(publisher)).fetch()


async def test_a_file_is_read_when_it_has_changed(place: Place) -> None:
    file = place.folder / "prices.csv"
    options = f'format = "csv"\nfile = "{file}"\nunit = "ct_per_kwh"\n'
    feed = place.feed(options)
    with pytest.raises(PriceError, match=r"prices\.csv"):
        await feed.fetch()
    file.write_text("start;price\n2026-01-06 13:00;10\n2026-01-06 14:00;11,5\n", encoding="utf-8")
    assert (await feed.fetch()).added == 8
    assert (await feed.fetch()).same == 0
    assert place.kept()[ms("2026-01-06T14:00+01:00")] == Decimal("0.115")
    file.write_text("start;price\n2026-01-06 13:00;10\n2026-01-06 14:00;12,25\n", encoding="utf-8")
    assert (await feed.fetch()).replaced == 4
    file.write_text("start;price\n2026-01-06 13:00;10\n2026-01-06 14:00;what\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(PriceError, match=r"prices\.csv:3: price: 'what' is not a number"):
            await feed.fetch()


@contextlib.asynccontextmanager
async def served(folder: Path, text: str) -> AsyncIterator[httpx.AsyncClient]:
    with open_home(parse(text, "test.toml"), folder / "service", ManualClock(NOON_MS)) as home:
        service = Service(home)
        url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(service.run(url.set_result))
        async with httpx.AsyncClient(base_url=await url) as client:
            yield client
        service.stop()
        await running


async def until(ask: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true."""
    async with asyncio.timeout(20):
        while not (answer := await ask()):  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0)
        return answer


async def test_the_service_fetches_tells_of_failures_asks_again_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(price_feed, "RETRY_S", 0.01)
    busy = [503, 503]

    def answer(question: dict[str, str]) -> tuple[int, bytes]:
        return (busy.pop(), b"busy") if busy else hours(question)

    async with publishing(answer) as publisher:
        text = f"[web]\nport = 0\n[prices.spot]\n{awattar(publisher)}"
        async with served(tmp_path, text) as client:

            async def fetched() -> Any:
                (spot,) = (await client.get("/api/v1/prices")).json()["series"]
                return spot if spot["quarters"] else None

            spot = await until(fetched)
            sources = (await client.get("/healthz")).json()["sources"]
            (health,) = [each for each in sources if each["name"] == "prices.spot"]
        assert len(publisher.asked) == 3
    assert spot == {
        "name": "spot",
        "start": "2026-01-05T00:00:00+01:00",
        "end": "2026-01-08T00:00:00+01:00",
        "quarters": 288,
        "differing": 0,
    }
    assert (health["state"], health["failures"]) == ("running", 2)
    assert health["last_error"].endswith("answered with status 503")
