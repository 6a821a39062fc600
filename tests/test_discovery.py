"""All sources look for devices at once, and one that fails hides nothing of what the others find."""

import asyncio
from pathlib import Path

import pytest

import casawatt.sources
from casawatt import discovery, searchers
from casawatt.app_sources import load_sources
from casawatt.config import Config, parse
from casawatt.discovery import HEARD, Discovery, addition_of, heard_devices, owners_of, suggested_slugs
from casawatt.model.found import Found
from casawatt.model.reading import Reading
from casawatt.searchers import brokers_nearby, searcher_names
from casawatt.transports.mdns import Announcement
from casawatt.web.findings import FailureDocument, FindingDocument, Search
from tests.fakes.clock import ManualClock
from tests.recorder.homes import home_in

DRAFT = """
import msgspec
from casawatt.model.found import Found
from casawatt.model.meter import Cadence, Traits

class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    hosts: list[str] = []
    port: str = "usual"

    @property
    def traits(self):
        return Traits(Cadence.POLLED, 30_000)

async def run(config, inbox):
    pass

"""
PLUGS = """
async def discover(timeout_s, config=None):
    assert timeout_s == 3
    yes = {"model": "Plug S", "where": "10.0.0.2", "options": {"hosts": ["10.0.0.2"]}}
    return [Found(source="plugs", addresses=("p2/0", "p2/1"), name="Kitchen", **yes)]
"""
SHY = 'async def discover(timeout_s):\n    raise OSError("the port is in use")\n'
BROKEN = "async def discover(timeout_s):\n    raise KeyError(1)\n"
LACKING = "import no_such_library\n\nasync def discover(timeout_s):\n    return []\n"
ASKING = """
async def discover(timeout_s, config=None, *, running=False, colour="blue"):
    return [Found(source="asking", addresses=("a",), where=f"{config and config.port} {running} {colour}")]
"""
ENDLESS = "import asyncio\n\nasync def discover(timeout_s):\n    await asyncio.Event().wait()\n"
SILENT = "async def discovery():\n    pass\n"


@pytest.fixture
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose files are all sources that there are."""
    folder = tmp_path / "sources"
    folder.mkdir()
    monkeypatch.setattr(casawatt.sources, "__path__", [str(folder)])
    return folder


def draft(folder: Path, name: str, discover: str) -> None:
    (folder / f"{name}.py").write_text(DRAFT + discover, encoding="utf-8")


def discovery_of(
    text: str = "", owners: dict[tuple[str, str], str] | None = None, heard: list[Found] | None = None
) -> Discovery:
    config: Config = parse(text, "home.toml")
    options = {source.name: source.options for source in load_sources(config)}
    return Discovery(
        config,
        options,
        ManualClock(),
        lambda: owners or {},
        offers=lambda source, options: {"running": options is not None, "colour": source, "unasked": 1},
        heard=lambda: heard or [],
    )


async def search(looking: Discovery) -> Search:
    await looking.look(3)
    return looking.search()


async def found_by(looking: Discovery) -> FindingDocument:
    found = await search(looking)
    assert found.failed == []
    [finding] = found.found
    return finding


async def test_a_source_that_fails_is_said_with_the_reason_and_the_others_are_heard(drafts: Path) -> None:
    draft(drafts, "plugs", PLUGS)
    draft(drafts, "shy", SHY)
    draft(drafts, "lacking", LACKING)
    draft(drafts, "broken", BROKEN)
    draft(drafts, "silent", SILENT)
    outcome = await search(discovery_of())
    assert [each.name for each in outcome.found] == ["Kitchen"]
    assert sorted(outcome.failed, key=lambda each: each.source) == [
        FailureDocument("broken", "KeyError: 1"),
        FailureDocument("lacking", "No module named 'no_such_library'"),
        FailureDocument("shy", "the port is in use"),
    ]
    assert (outcome.running, outcome.waiting) == (False, [])


async def test_a_source_that_does_not_end_is_cut_off(drafts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft(drafts, "endless", ENDLESS)
    monkeypatch.setattr(discovery, "GRACE_S", -2.99)
    outcome = await search(discovery_of())
    assert outcome.failed == [FailureDocument("endless", "it did not come to an end")]


@pytest.mark.parametrize(
    ("text", "where"), [("", "None False asking"), ('[source.asking]\nport = "mine"', "mine True asking")]
)
async def test_a_source_is_given_what_it_asks_for_by_name(drafts: Path, text: str, where: str) -> None:
    draft(drafts, "asking", ASKING)
    assert (await found_by(discovery_of(text))).where == where


async def test_a_device_is_shown_with_its_meters_and_the_lines_for_the_rest(drafts: Path) -> None:
    draft(drafts, "plugs", PLUGS)
    finding = await found_by(discovery_of(owners={("plugs", "p2/0"): "kitchen-2", ("others", "p2/1"): "x"}))
    assert [(each.address, each.meter) for each in finding.channels] == [("p2/0", "kitchen-2"), ("p2/1", None)]
    assert finding.adoptable is False
    assert finding.config == (
        '[source.plugs]\nhosts = ["10.0.0.2"]\n\n'
        '[meter.kitchen-2-2]\nname = "Kitchen 2"\nsource = "plugs"\naddress = "p2/1"\n'
    )


@pytest.mark.parametrize(
    ("text", "owners", "adoptable"),
    [
        ("", {}, False),
        ("[source.plugs]", {}, False),
        ('[source.plugs]\nhosts = ["10.0.0.1"]', {}, False),
        ('[source.plugs]\nhosts = ["10.0.0.1", "10.0.0.2"]', {}, True),
        ('[source.plugs]\nhosts = ["10.0.0.2"]', {("plugs", "p2/0"): "a", ("plugs", "p2/1"): "b"}, False),
    ],
)
async def test_a_device_can_be_adopted_when_its_source_reads_it_and_a_channel_is_free(
    drafts: Path, text: str, owners: dict[tuple[str, str], str], *, adoptable: bool
) -> None:
    draft(drafts, "plugs", PLUGS)
    assert (await found_by(discovery_of(text, owners))).adoptable is adoptable


async def test_a_device_that_is_heard_can_be_adopted_however_its_source_came_to_read_it(drafts: Path) -> None:
    draft(drafts, "plugs", PLUGS)
    heard = [Found(source="plugs", addresses=("p2/1",), where=HEARD)]
    owners = {("plugs", "p2/0"): "a"}
    assert (await found_by(discovery_of("[source.plugs]", owners, heard))).adoptable


async def test_what_was_heard_is_shown_too_but_not_twice(drafts: Path) -> None:
    draft(drafts, "plugs", PLUGS)
    heard = [Found(source="plugs", addresses=(address,), where=HEARD) for address in ("p2/1", "p3/0")]
    looking = discovery_of(heard=heard)
    assert looking.search().found == []  # nobody has looked yet
    assert [each.where for each in (await search(looking)).found] == [HEARD, "10.0.0.2"]


async def test_one_search_runs_at_a_time_and_each_step_of_it_is_told(drafts: Path) -> None:
    draft(drafts, "plugs", PLUGS)
    draft(drafts, "shy", SHY)
    told: list[Search] = []
    ended = asyncio.Event()

    looking = discovery_of()

    def on_change() -> None:
        told.append(looking.search())
        if not told[-1].running:
            ended.set()

    looking._on_change = on_change
    serving = asyncio.create_task(looking.run())
    assert (looking.search().started_ms, looking.search().running) == (None, False)
    for _ in range(2):
        ended.clear()
        told.clear()
        assert looking.start(3)
        assert not looking.start(3)
        await asyncio.wait_for(ended.wait(), 10)
        assert told[0].running
        assert sorted(told[0].waiting) == ["plugs", "shy"]
        assert (len(told[-1].found), len(told[-1].failed), told[-1].waiting) == (1, 1, [])
    serving.cancel()


def test_the_sources_that_can_look_are_found_without_importing_them(drafts: Path) -> None:
    draft(drafts, "lacking", LACKING)
    draft(drafts, "silent", SILENT)
    assert searcher_names() == ["lacking"]


def test_the_sources_of_casawatt_that_can_look_are_found() -> None:
    assert {"ecms_udp", "mcee_serial"} <= set(searcher_names())


def test_a_service_tells_of_devices_that_it_has_heard(tmp_path: Path) -> None:
    with home_in(tmp_path) as home:
        home.adopt("fridge", "change", "a1")
        home.adopt("oven", "change", "a2")
        home.put(0, 5.0, address="a3")
        home.registry.heard(Reading(source="change", address="a4", received_ms=1), "washing_machine")
        assert owners_of(home.registry) == {("change", "a1"): "fridge", ("change", "a2"): "oven"}
        heard = heard_devices(home.registry, lambda meter: meter.slug == "oven")
    assert [(each.addresses, each.name, each.where) for each in heard] == [
        (("a4",), "Washing machine", HEARD),
        (("a3",), None, HEARD),
        (("a2",), "oven", HEARD),
    ]


def test_each_free_channel_is_suggested_a_name_of_its_own() -> None:
    found = Found(source="s", addresses=("a", "b", "c"), where="here", model="Strip")
    slugs = suggested_slugs(found, {("s", "b"): "tv"}, {"strip-1"})
    assert slugs == {"a": "strip-1-2", "c": "strip-3"}
    addition = addition_of(found, slugs)
    assert [(meter.slug, meter.name, meter.address) for meter in addition.meters] == [
        ("strip-1-2", "Strip 1", "a"),
        ("strip-3", "Strip 3", "c"),
    ]


LISTENING = """
async def discover(timeout_s, broker, config=None):
    return [Found(source="listening", addresses=("a",), where=broker.name)]
"""


@pytest.mark.parametrize(
    ("text", "broker"),
    [
        ('[broker.home]\nhost = "127.0.0.1"\n[broker.other]\nhost = "127.0.0.1"', "home"),
        ('[broker.other]\nhost = "127.0.0.1"', "other"),
    ],
)
async def test_a_source_that_asks_for_a_broker_is_given_the_one_that_there_is(
    drafts: Path, text: str, broker: str
) -> None:
    draft(drafts, "listening", LISTENING)
    finding = await found_by(discovery_of(text))
    assert finding.where == broker
    assert finding.options == ({} if broker == "home" else {"broker": broker})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'the config names none: write [broker.home] with host = "..."; one announces itself at 10.0.0.5:1883'),
        ('[broker.a]\nhost = "127.0.0.1"\n[broker.b]\nhost = "127.0.0.1"', "which of the brokers a, b is meant"),
    ],
)
async def test_a_source_that_asks_for_a_broker_where_none_can_be_had_says_so(
    drafts: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str
) -> None:
    async def one_nearby(_timeout_s: float) -> list[str]:
        return ["10.0.0.5:1883"]

    monkeypatch.setattr(searchers, "brokers_nearby", one_nearby)
    draft(drafts, "listening", LISTENING)
    [failure] = (await search(discovery_of(text))).failed
    assert failure.why.startswith("its devices are found on an MQTT broker, and ")
    assert why in failure.why


async def test_a_broker_that_announces_itself_is_found() -> None:
    async with Announcement("_mqtt._tcp", "broker", "127.0.0.1", 1899, {}):
        assert "127.0.0.1:1899" in await brokers_nearby(2, ["127.0.0.1"])
