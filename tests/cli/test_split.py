"""`casawatt split`, as it is typed, on the data itself and through the running service."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from casawatt.app_home import open_home, ports_of
from casawatt.cli.places import find
from casawatt.clock import WallClock
from casawatt.model.reading import Reading
from casawatt.web import create_app
from tests.answers.flat import CONFIG
from tests.cli.conftest import Typed
from tests.fakes.clock import ManualClock
from tests.web.homes import client_of

EVENING_MS = round(datetime.fromisoformat("2026-03-10T18:00:00+01:00").timestamp()) * 1000
POWERS_W = {"a0": 4000.0, "a1": 2000.0, "a2": 1500.0}


@pytest.fixture
def flat(typed: Typed, tmp_path: Path) -> Typed:
    """A flat of which one evening of March was measured."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    put(range(0, 3601, 10))
    return typed


def put(seconds: Any) -> None:
    """Let the meters say their power at these seconds of the evening, in this order."""
    place = find(None, None)
    with open_home(place.config, place.folder, ManualClock(EVENING_MS + 3_600_000)) as opened:
        for second in seconds:
            at_ms = EVENING_MS + second * 1000
            for address, power_w in POWERS_W.items():
                opened.recorder.put(
                    Reading(source="ecms_udp", address=address, received_ms=at_ms, time_ms=at_ms, power_w=power_w)
                )
        opened.recorder.settle()


def shown(flat: Typed, *words: str) -> Any:
    said = flat("split", *words, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_split_is_printed_with_its_lines_and_their_reasons(flat: Typed) -> None:
    said = flat("split", "2026-03", "--lines")
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    for part in (
        "2026-03-01 until before 2026-04-01, open",
        "member days bill EUR adjustments EUR owes EUR",
        "together – 10.30 0.00 10.30",
        "0.50 Heater, which is Anna's: 2.000 kWh at the price of each quarter-hour, 0.5000 EUR.",
        "Mains was not measured for 742.0 hours of these days",
    ):
        assert part in text
    assert re.search(r"Anna 31 \d+\.\d\d 0\.00 \d+\.\d\d", text)


def test_a_month_is_closed_and_listed_and_the_next_one_follows(flat: Typed) -> None:
    march = shown(flat, "2026-03")
    closed = shown(flat, "close", "2026-03")
    assert closed == march | {"closed": closed["closed"]}
    assert shown(flat, "2026-03") == shown(flat, "show", "--start", "2026-03-01", "--end", "2026-04-01") == closed
    assert [each["total"] for each in shown(flat, "list")["closed"]] == ["10.30"]
    following = shown(flat)
    assert (following["start"], following["end"]) == ("2026-04-01", "2026-05-01")
    said = flat("split", "close", "2026-03")
    assert (said.code, "is closed already" in said.err) == (1, True)
    assert flat("split", "close").code == 2
    assert "2026-03-01" in flat("split", "list").out


def wash(*spans: tuple[int, int]) -> None:
    """Let the washing machine say its power in these seconds since nine: two kilowatts from ten to eleven."""
    place = find(None, None)
    nine_ms = EVENING_MS - 9 * 3_600_000
    with open_home(place.config, place.folder, ManualClock(EVENING_MS)) as opened:
        for second in (second for span in spans for second in range(*span, 10)):
            at_ms, power_w = nine_ms + second * 1000, 2000.0 if 3600 <= second < 7200 else 0.4
            opened.recorder.put(
                Reading(source="ecms_udp", address="a3", received_ms=at_ms, time_ms=at_ms, power_w=power_w)
            )
        opened.recorder.settle()


def test_a_run_that_was_found_is_claimed_and_stays_so_when_late_readings_move_its_start(flat: Typed) -> None:
    wash((0, 3400), (4200, 14_400))
    said = flat("split", "claim", "washer", "2026-03-10T10:30", "carla")
    assert said.code == 0, said.err
    (claim,) = shown(flat, "claims")["claims"]
    (run,) = json.loads(flat("runs", "--meter", "washer", "--start", "2026-03-10", "--json").out)["runs"]
    assert (claim["meter"], claim["member"], claim["start"], claim["end"]) == (
        "washer",
        "carla",
        run["start"],
        run["end"],
    )
    wash((3400, 4200))
    (run,) = json.loads(flat("runs", "--meter", "washer", "--start", "2026-03-10", "--json").out)["runs"]
    (moved,) = shown(flat, "claims")["claims"]
    assert claim["start"] > moved["start"] == run["start"]
    (line,) = (each for each in shown(flat, "2026-03")["members"][2]["lines"] if each["kind"] == "claimed")
    assert line["run"] == run["start"]
    assert line["energy_wh"] == pytest.approx(2000, abs=10)
    assert line["energy_wh"] == pytest.approx(run["energy_wh"], abs=0.01)
    assert f"split unclaim {claim['id']}" in said.out
    said = flat("split", "unclaim", str(claim["id"]))
    assert (said.code, "is taken back" in said.out) == (0, True)
    assert {each["kind"] for each in shown(flat, "2026-03")["members"][2]["lines"]} == {
        "shared",
        "unclaimed",
        "rest",
        "excess",
        "fixed",
    }


def test_members_are_listed(flat: Typed) -> None:
    assert [each["slug"] for each in shown(flat, "members")["members"]] == ["anna", "bruno", "carla"]
    assert "2026-03-12" in flat("split", "members").out


def test_what_cannot_be_claimed_or_taken_back_says_why(flat: Typed) -> None:
    said = flat("split", "claim", "heater", "2026-03-10T18:30", "anna")
    assert (said.code, "[meter.heater] needs claimed = true" in said.err) == (1, True)
    said = flat("split", "unclaim", "7")
    assert (said.code, "there is no claim 7 that stands" in said.err) == (1, True)
    assert shown(flat, "claims") == {"claims": []}
    assert flat("split", "claims", "--start", "tomorrow").code == 2


def test_the_service_answers_what_the_commands_do(flat: Typed) -> None:
    async def answered() -> Any:
        place = find(None, None)
        with open_home(place.config, place.folder, WallClock()) as home:
            async with client_of(create_app(ports_of(home, demo=False))) as client:
                paths = ("split?period=2026-03", "split", "split/closed", "members", "claims?start=2026-01-01")
                return [(await client.get(f"/api/v1/{path}")).json() for path in paths]

    typed = [shown(flat, *words) for words in (("2026-03",), (), ("list",), ("members",), ("claims",))]
    assert asyncio.run(answered()) == typed


@pytest.mark.parametrize(
    "order",
    [
        lambda seconds: seconds,
        lambda seconds: seconds[::-1],
        lambda seconds: seconds[1::2] + seconds[::2],
        lambda seconds: seconds[180:] + seconds[:200],
    ],
)
def test_no_order_of_arrival_changes_what_anybody_owes(
    typed: Typed, tmp_path: Path, order: Callable[[list[int]], list[int]]
) -> None:
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, encoding="utf-8")
    put(order(list(range(0, 3601, 10))))
    found = shown(typed, "2026-03")
    # Anna 0.50 + 0.125 + 0.125 / 3 + 4.05, Bruno 0.125 / 3 + 1.20, Carla 0.25 + 0.125 / 3 + 4.05
    assert found["bill"] == "10.30"
    assert [each["total"] for each in found["members"]] == ["4.72", "1.24", "4.34"]
