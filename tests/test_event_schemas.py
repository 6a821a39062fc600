"""What the code tells, what the schemas promise and what the docs show are the same."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from casawatt.answers import digest_event, run_events
from casawatt.answers.prices import differs
from casawatt.app_home import OpenHome, ports_of
from casawatt.model.alarm import Alarm
from casawatt.model.event import Event
from casawatt.model.event_schemas import schema_of
from casawatt.model.event_types import EVENT_TYPES
from casawatt.model.price import PriceChange
from casawatt.model.run import Phase, Run
from casawatt.model.supply import PRESETS, limiter_of
from casawatt.recorder.power_watch import PowerWatch, Watched
from casawatt.recorder.runs import News
from casawatt.supervisor import Supervisor
from casawatt.web.events_documents import cloud_event
from tests.answers.home_of_days import ROME, at, home_at, put, put_days

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
TENTH = date(2026, 3, 10)

CLOUD_EVENT = {
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "format": "uri"},
        "type": {"type": "string", "pattern": r"^casawatt(\.[a-z]+)+$"},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?([+-]\d\d:\d\d|Z)$"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "pattern": r"^urn:[a-z0-9][a-z0-9-]{1,31}:[a-z.:]+$"},
        "data": {"type": "object"},
    },
    "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"],
    "additionalProperties": False,
}
"""What CloudEvents 1.0 demands of the attributes in its JSON form, and what casawatt promises beyond that."""


def check(document: dict[str, Any]) -> None:
    """Raise ValidationError unless a document is a CloudEvent of ours whose data fits its schema, field by field."""
    jsonschema.validate(document, CLOUD_EVENT)
    schema = schema_of(document["type"])
    assert document["dataschema"] == schema["$id"]
    jsonschema.Draft202012Validator(schema).validate(document["data"])
    struct = EVENT_TYPES[document["type"]]
    assert msgspec.to_builtins(msgspec.convert(document["data"], struct)) == document["data"]
    assert document["id"].startswith(f"{document['subject']}/{document['type']}/")


def examples() -> list[dict[str, Any]]:
    """Return the events that the page shows."""
    blocks = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [json.loads(block) for block in blocks]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[OpenHome]:
    with home_at(tmp_path, "2026-03-11T12:00:00") as home:
        yield home


async def of_silence(home: OpenHome) -> list[Event]:
    """Return what is told of meters that were heard on the tenth, and on the twelfth again."""
    put_days(home, "fridge", TENTH, TENTH, lambda _: 40.0)
    events = home.recorder.watch_silence()
    home.clock.time_ms = at("2026-03-12")  # type: ignore[attr-defined] # it is the tests' clock
    events += home.recorder.watch_silence()
    put_days(home, "fridge", date(2026, 3, 11), date(2026, 3, 11), lambda _: 40.0)
    return events + home.recorder.watch_silence()


async def of_a_day(home: OpenHome) -> list[Event]:
    """Return what is told of a day of which one half was measured, and of one of which nothing was."""
    put_days(home, "mains", TENTH, TENTH, lambda moment: 200.0 if moment.hour < 12 else None)
    digests = ports_of(home, demo=False).answers.digests
    days = [digests.of(day, (60, 1440)) for day in (TENTH, date(2026, 3, 9))]
    return [digest_event.event_of(digest, ROME, "EUR") for digest in days]


async def of_runs(home: OpenHome) -> list[Event]:
    """Return what is told when a run begins and when it has ended."""
    put_days(home, "fridge", TENTH, TENTH, lambda _: 40.0)
    start_ms = at("2026-03-10T08:00:00")
    end_ms = start_ms + 3_600_000
    going = Run(start_ms, None, start_ms + 60_000, None, 60_000)
    over = Run(start_ms, end_ms, end_ms, None, 60_000, (Phase(start_ms, end_ms, "on", 40_000, 60_000),))
    meter = home.registry.meter("fridge")
    news = [News("started", meter, going), News("finished", meter, over)]
    runs = ports_of(home, demo=False).answers.runs
    return [run_events.event_of(each, runs, ROME, "EUR") for each in news]


def says(home: OpenHome, power_w: float) -> None:
    """Let the mains say their power now."""
    now_ms = home.clock.now_ms()
    put(home, "mains", now_ms, now_ms, 1, lambda _: power_w)


async def of_power(home: OpenHome) -> list[Event]:
    """Return what is told when the mains of 3 kW go over and come back, and an alarm on top of it."""
    alarm = Alarm("too-much", "mains", 2_500_000, 30_000, 2_400_000, 20_000)
    watched = Watched(limiter_of(PRESETS["italy"], 3000, 900), None, (alarm,), ROME)
    watch = PowerWatch(home.store, home.registry, home.recorder, watched)
    events: list[Event] = []
    watch.on_event = events.append
    now_ms = home.clock.now_ms()
    for second, power_w in ((0, 500), (10, 4700), (100, 4700), (120, 500), (2000, 500)):
        home.clock.time_ms = now_ms + second * 1000  # type: ignore[attr-defined] # it is the tests' clock
        says(home, power_w)
        watch.tick()
    return events


async def of_prices(_home: OpenHome) -> list[Event]:
    changes = [PriceChange(0, 900_000, Decimal("0.10"), Decimal("-0.0000001"))]
    return [differs("spot", changes, 1_000_000)]


async def of_a_source(home: OpenHome) -> list[Event]:
    """Return what is told of a source that fails."""
    events: list[Event] = []
    failed = asyncio.Event()

    def told(event: Event) -> None:
        events.append(event)
        failed.set()

    async def work() -> None:
        raise OSError("the cable is out")

    task = asyncio.create_task(Supervisor(home.clock, told, lambda: None).run("mcee_serial", work))
    await failed.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return events


MAKERS = (of_silence, of_a_day, of_runs, of_power, of_prices, of_a_source)


async def test_every_event_that_the_code_makes_fits_its_schema(tmp_path: Path) -> None:
    made = set()
    for maker in MAKERS:
        with home_at(tmp_path / maker.__name__, "2026-03-11T12:00:00") as home:
            events = await maker(home)
            assert events
            for event in events:
                check(msgspec.to_builtins(cloud_event(event, ports_of(home, demo=False).home)))
                assert home.store.book.events.append(event) is not None
            made |= {event.type for event in events}
            assert [event for _, event in home.store.book.events.list()] == events
    assert made == set(EVENT_TYPES)


@pytest.mark.parametrize("document", examples(), ids=lambda document: str(document["type"]))
def test_the_examples_in_the_docs_are_events(document: dict[str, Any]) -> None:
    check(document)


def test_every_type_has_an_example_and_a_line_that_names_all_it_says() -> None:
    assert sorted(document["type"] for document in examples()) == sorted(EVENT_TYPES)
    lines = dict(re.findall(r"^\| `(casawatt\.[a-z.]+)` \|(.*)$", PAGE, re.MULTILINE))
    assert set(lines) == set(EVENT_TYPES)
    for name, struct in EVENT_TYPES.items():
        unnamed = [field for field in struct.__struct_fields__ if f"`{field}`" not in lines[name]]
        assert unnamed == [], f"{name}: docs/events.md does not name {unnamed}"


def test_what_does_not_fit_is_found() -> None:
    (good,) = (document for document in examples() if document["type"] == "casawatt.meter.silent")
    faults: tuple[dict[str, Any], ...] = (
        {"data": {}},
        {"data": {"heard_ms": "1"}},
        {"data": {"heard_ms": 1, "cause": "bored"}},
        {"time": "2026-03-10 12:00"},
        {"dataschema": "urn:casawatt:schema:casawatt.meter.back"},
        {"extra": 1},
        {"id": "1"},
    )
    for fault in faults:
        with pytest.raises((jsonschema.ValidationError, AssertionError)):
            check(good | fault)


def test_the_schemas_in_the_docs_are_those_of_the_code() -> None:
    done = subprocess.run([sys.executable, "scripts/event_schemas.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0
