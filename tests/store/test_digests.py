"""Days as they were told."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.model.event import Event
from casawatt.store.digests import Told
from casawatt.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path, zone=ZoneInfo("Europe/Rome"))
    yield store
    store.close()


def event(day: str) -> Event:
    return Event(f"home/casawatt.digest.daily/{day}", "casawatt.digest.daily", 1, "home", {"date": day})


def test_a_day_stays_as_it_was_told_first(store: Store) -> None:
    book = store.book.digests
    assert (book.done(), book.told("2026-03-10")) == (0, None)
    book.put("2026-03-10", 7, 100, event("2026-03-10"))
    book.put("2026-03-10", 8, 200, event("2026-03-11"))
    assert (book.done(), book.told("2026-03-10")) == (8, Told(100, event("2026-03-10")))
    book.put("2026-03-11", 9, 300, None)
    assert (book.done(), book.told("2026-03-11")) == (9, None)


def test_what_did_not_get_into_the_event_log_is_known(store: Store) -> None:
    days = ["2026-03-10", "2026-03-11", "2026-03-12"]
    for number, day in enumerate(days):
        store.book.digests.put(day, number, 100, event(day))
    store.book.events.append(event(days[1]))
    assert store.book.digests.unheard() == [event(days[0]), event(days[2])]
