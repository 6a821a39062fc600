"""`casawatt events` without a running service."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from casawatt.cli.events import in_short
from casawatt.model.event_data import MeterBack, MeterSilent
from casawatt.model.event_types import event_of
from casawatt.store.store import Store
from tests.cli.conftest import Typed

NOON_MS = 1_773_140_400_000
ROME = ZoneInfo("Europe/Rome")


@pytest.fixture
def home(home: Typed, tmp_path: Path) -> Typed:
    """Return a home in which 60 times a fridge fell silent and an oven came back, an hour apart."""
    folder = tmp_path / "data" / "casawatt" / "home"
    config = tmp_path / "config" / "casawatt" / "casawatt.toml"
    text = config.read_text(encoding="utf-8")
    zone = next(line for line in text.splitlines() if line.startswith("timezone"))
    config.write_text(text.replace(zone, 'timezone = "Europe/Rome"'), encoding="utf-8")
    store = Store.open(folder, zone=ROME)
    for hour in range(60):
        at_ms = NOON_MS + hour * 3_600_000
        store.book.events.append(event_of(MeterSilent(at_ms), at_ms + 60_000, "fridge", at_ms))
        store.book.events.append(event_of(MeterBack(at_ms), at_ms, "oven", at_ms))
    store.close()
    return home


def listed(home: Typed, *words: str) -> dict[str, Any]:
    said = home("events", *words, "--json")
    assert said.code == 0, said.err
    document: dict[str, Any] = json.loads(said.out)
    return document


def test_the_newest_are_listed_the_newest_last(home: Typed) -> None:
    said = home("events", "--limit", "3")
    assert [line.split()[:4] for line in said.out.splitlines()[1:4]] == [
        ["2026-03-12", "22:00:00", "meter.back", "oven"],
        ["2026-03-12", "23:01:00", "meter.silent", "fridge"],
        ["2026-03-12", "23:00:00", "meter.back", "oven"],
    ]
    assert "heard 2026-03-12 23:00:00, cause limit" in said.out
    assert "There are more: --limit, --start and --end." in said.out
    assert len(home("events").out.splitlines()) == 52


def test_events_are_chosen(home: Typed) -> None:
    document = listed(home, "--type", "meter.back", "--start", "2026-03-10", "--end", "2026-03-10T14:00:00+01:00")
    assert [event["time"] for event in document["events"]] == ["2026-03-10T13:00:00+01:00", "2026-03-10T12:00:00+01:00"]
    both = listed(home, "--type", "meter.back", "--type", "casawatt.meter.silent", "--limit", "1000")
    assert (len(both["events"]), both["more"]) == (120, False)
    assert {event["subject"] for event in listed(home, "--subject", "oven")["events"]} == {"oven"}


def test_all_of_them_can_be_gone_through_page_by_page(home: Typed) -> None:
    ids, after = [], "0"
    while True:
        document = listed(home, "--after", after, "--limit", "50")
        ids += [event["id"] for event in document["events"]]
        after = str(document["next"])
        if not document["more"]:
            break
    assert len(ids) == len(set(ids)) == 120
    assert "There are more: --after 50." in home("events", "--after", "0").out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--type", "meter.silly"), "there are no events of type 'meter.silly'"),
        (("--start", "2026-03-11", "--end", "2026-03-11"), "is not before"),
        (("--limit", "0"), "--limit"),
        (("--follow", "--start", "today"), "has no start and no end"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Typed, words: tuple[str, ...], why: str) -> None:
    said = home("events", *words)
    assert said.code == 2
    assert why in " ".join(said.err.replace("│", " ").split())


def test_following_needs_a_service(home: Typed) -> None:
    said = home("events", "--follow")
    assert said.code == 1
    assert "start it with `casawatt serve`" in said.err


def test_what_an_event_says_is_put_in_short() -> None:
    data: dict[str, Any] = {
        "heard_ms": NOON_MS,
        "before_ms": None,
        "error": "gone",
        "power": [1],
        "home": {},
        "failures": 2,
    }
    assert in_short(data, ROME) == "heard 2026-03-10 12:00:00, error gone, failures 2"
