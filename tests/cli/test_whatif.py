"""`casawatt whatif`, as it is typed, and the same over HTTP."""

import json
import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from casawatt.app_home import open_home, ports_of
from casawatt.cli.places import find
from casawatt.clock import WallClock
from casawatt.model.reading import Reading
from casawatt.web import create_app
from tests.cli.conftest import Typed
from tests.fakes.clock import ManualClock
from tests.web.homes import client_of

PAGE = Path(__file__).parents[2] / "docs" / "whatif.md"
DAY = ("--start", "2024-10-21", "--end", "2024-10-22")
MIDNIGHT_MS = round(datetime.fromisoformat("2024-10-21T00:00+02:00").timestamp()) * 1000
WASH = "2024-10-21T10:00/2024-10-21T12:00"


def config() -> str:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(text)


@pytest.fixture
def home(typed: Typed, tmp_path: Path) -> Typed:
    """The home of the page, on the day of the page."""
    file = tmp_path / "config" / "casawatt" / "casawatt.toml"
    file.parent.mkdir(parents=True)
    file.write_text(config(), encoding="utf-8")
    place = find(None, None)
    with open_home(place.config, place.folder, ManualClock(MIDNIGHT_MS + 86_400_000)) as opened:
        for second in range(0, 86_401, 30):
            at_ms = MIDNIGHT_MS + second * 1000
            washing_w = 1000.0 if 10 * 3600 <= second < 12 * 3600 else 0.0
            for address, power_w in (("a1", 400.0 + washing_w), ("a2", washing_w)):
                reading = Reading(source="ecms_udp", address=address, received_ms=at_ms, time_ms=at_ms, power_w=power_w)
                opened.recorder.put(reading)
    return typed


def shown(home: Typed, *words: str) -> list[str]:
    """Return the lines that a command prints when it is done."""
    said = home(*words)
    assert said.code == 0, said.err
    return [line.rstrip() for line in said.out.splitlines()]


def asked(home: Typed, *words: str) -> Any:
    return json.loads("\n".join(shown(home, "whatif", *DAY, *words, "--json")))


def test_the_example_of_the_page_comes_out_as_it_says(home: Typed) -> None:
    (example,) = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    steps = re.split(r"^\$ ", example, flags=re.MULTILINE)[1:]
    assert len(steps) == 2
    for step in steps:
        command, _, wanted = step.partition("\n")
        assert shown(home, *shlex.split(command)[1:]) == wanted.splitlines()


@pytest.mark.parametrize("run", [WASH, "2024-10-21T10:00"])
def test_a_run_that_is_named_goes_to_its_cheapest_hour(home: Typed, run: str) -> None:
    document = asked(home, "--move", "washer", "--within", "12", "--run", run)
    (scenario,) = document["scenarios"]
    assert (document["total"], scenario["total"], scenario["difference"]) == ("3.14", "2.94", "-0.20")
    assert scenario["runs"] == [
        {
            "start": "2024-10-21T10:00:00+02:00",
            "end": "2024-10-21T12:00:00+02:00",
            "instead": "2024-10-21T06:00:00+02:00",
            "energy_kwh": 2.0,
            "before": "0.60",
            "after": "0.40",
        }
    ]


def test_a_file_of_tariffs_is_compared_with(home: Typed, tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    file.write_text(
        '[[tariff]]\nfrom = 2030-01-01\nname = "A"\nrate_per_kwh = 0.5\n'
        '[[tariff]]\nfrom = 2030-01-01\nname = "B"\nrate_per_kwh = 0.1\n',
        encoding="utf-8",
    )
    found = asked(home, "--tariffs", str(file))
    assert [(each["name"], each["total"]) for each in found["scenarios"]] == [("B", "1.16"), ("A", "5.80")]
    file.write_text('[[tariff]]\nfrom = 2030-01-01\nname = "A"\n', encoding="utf-8")
    said = home("whatif", *DAY, "--tariffs", str(file))
    assert (said.code, "offers.toml:1: tariff.0: nothing says what energy costs" in said.err) == (2, True)


def test_a_run_that_there_is_none_of_is_not_moved(home: Typed) -> None:
    (scenario,) = asked(home, "--move", "washer", "--hours", "1", "--run", "2024-10-21T10:01")["scenarios"]
    assert (scenario["difference"], scenario["runs"]) == ("0.00", [])
    assert scenario["reason"] == "There was no such run."


@pytest.mark.parametrize(
    "words",
    [
        ("--move", "washer"),
        ("--move", "washer", "--hours", "1", "--within", "2"),
        ("--hours", "1"),
        ("--run", WASH),
        ("--move", "washer", "--hours", "1", "--run", "soon"),
        ("--contracted-w", "0"),
    ],
)
def test_what_is_typed_wrongly_is_an_error_of_the_command_line(home: Typed, words: tuple[str, ...]) -> None:
    assert home("whatif", *DAY, *words).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--move", "washer", "--hours", "99999"), "moves[0].hours: expected `float` <= 744.0"),
        (("--move", "washer", "--within", "0"), "moves[0].within_hours: expected `float` > 0.0"),
        (("--contracted-w", "5000000"), "contracted_w[0]: expected `int` <= 1000000"),
    ],
)
async def test_a_question_that_cannot_be_is_refused_as_the_api_does(
    home: Typed, words: tuple[str, ...], said: str
) -> None:
    answer = home("whatif", *DAY, *words)
    assert (answer.code, said in answer.err, "Traceback" in answer.err) == (1, True, False)
    number = float(words[-1])
    move = {"meter": "washer", ("hours" if "--hours" in words else "within_hours"): number}
    asking = {"moves": [move]} if "--move" in words else {"contracted_w": [int(number)]}
    place = find(None, None)
    with open_home(place.config, place.folder, WallClock()) as opened:
        async with client_of(create_app(ports_of(opened, demo=False), pages=Path("nowhere"))) as client:
            document = (await client.post("/api/v1/whatif", json=asking)).json()
    assert document["detail"] == said


async def test_the_api_answers_the_same_and_names_what_is_wrong(home: Typed) -> None:
    printed = asked(home)
    moved = asked(home, "--move", "washer", "--hours", "10", "--run", WASH)
    place = find(None, None)
    with open_home(place.config, place.folder, WallClock()) as opened:
        async with client_of(create_app(ports_of(opened, demo=False), pages=Path("nowhere"))) as client:
            days = {"start": "2024-10-21", "end": "2024-10-22"}
            assert (await client.get("/api/v1/whatif", params=days)).json() == printed
            move = {"meter": "washer", "start": "2024-10-21T10:00:00+02:00", "end": "2024-10-21T12:00:00+02:00"}
            later = move | {"run": True, "hours": 10}
            answer = await client.post("/api/v1/whatif", json=days | {"moves": [later]})
            assert (answer.status_code, answer.json()) == (200, moved)
            tariff = {"name": "A", "from": "2024-01-01", "rate_per_kwh": 0.3}
            for body, status, parameter in (
                ({"moves": [move]}, 400, "moves[0]"),
                ({"moves": [later | {"hours": 0.1}]}, 400, "moves[0].hours"),
                ({"moves": [later | {"end": None}]}, 400, "moves[0].run"),
                ({"moves": [later | {"end": move["start"]}]}, 400, "moves[0].end"),
                ({"moves": [later | {"meter": "nosuch"}]}, 404, "slug"),
                ({"tariffs": [tariff | {"vat_percent": 101}]}, 400, "tariffs[0].vat_percent"),
                ({"tariffs": [tariff, tariff]}, 400, "tariffs[1].from"),
                ({"period": "soon"}, 400, "period"),
            ):
                said = await client.post("/api/v1/whatif", json=({} if "period" in body else days) | body)
                assert (said.status_code, said.json().get("parameter")) == (status, parameter), said.text
