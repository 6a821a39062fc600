"""The digests of days past, told by a real service after its start."""

from datetime import date, timedelta
from pathlib import Path

from casawatt.app_home import open_home
from casawatt.clock import WallClock
from casawatt.config import load
from casawatt.engine.localtime import local_date
from tests.answers.home_of_days import ROME, put_days
from tests.e2e.service import GAP_LIMIT_S, METERS, stop
from tests.test_service import TestPlace, get, until

DIGEST = """
[digest]
at = "00:00"
resolutions = [60]
"""


def event_days(place: TestPlace) -> list[str]:
    """Return of which days the event log tells."""
    with open_home(load(place.config), place.folder / "data", WallClock(), read_only=True) as home:
        events = [event for _, event in home.store.book.events.list()]
    return [event.data["date"] for event in events if event.type == "casawatt.digest.daily"]


def test_days_missed_while_the_service_was_off_are_told_once_each(tmp_path: Path) -> None:
    with TestPlace(tmp_path, METERS + DIGEST) as place:
        text = place.config.read_text()
        place.config.write_text(text.replace(f"gap_limit_s = {GAP_LIMIT_S}", "gap_limit_s = 3600"))
        today = local_date(ROME, WallClock().now_ms())
        days = [today - timedelta(days=each) for each in (4, 3, 2, 1)]
        with open_home(load(place.config), place.folder / "data", WallClock()) as home:
            put_days(home, "fridge", days[0], days[-1], lambda _: 30.0, 600)
            home.store.book.digests.put("", days[0].toordinal(), 1, None)
        for _ in range(2):  # the second time there is nothing left to tell
            service = place.start()
            told = until(lambda: get(service, f"/api/v1/digest/{days[-1]}")["told"])  # noqa: B023 - asked at once
            assert told["differences"] == []
            until(lambda: len(event_days(place)) >= 3)
            assert get(service, f"/api/v1/digest/{days[0]}")["told"] is None
            assert [each["energy_wh"] for each in get(service, f"/api/v1/digest/{days[1]}")["meters"]][1] == 720.0
            stop(service)
            assert event_days(place)[:3] == [each.isoformat() for each in days[1:]]
            assert len(set(event_days(place))) == len(event_days(place)) <= 3 + (date.today() > today)  # noqa: DTZ011 - as local
        document = place.run("digest", "yesterday", "--json")
        assert '"told": {' in document
