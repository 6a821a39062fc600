"""Sources are found by their name in the config, and what is wrong with one is said with its line."""

from pathlib import Path

import pytest

import casawatt.sources
from casawatt.app_sources import Wiring, load_sources, source_names
from casawatt.config import parse
from casawatt.model.errors import ConfigError

GOOD = """
import msgspec
from casawatt.model.meter import Cadence, Traits

class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    gap_limit_s: float = 30.0

    @property
    def traits(self):
        return Traits(Cadence.POLLED, round(self.gap_limit_s * 1000))

async def run(config, inbox):
    pass
"""


@pytest.fixture
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of which files count as sources too."""
    monkeypatch.setattr(casawatt.sources, "__path__", [str(tmp_path), *casawatt.sources.__path__])
    return tmp_path


def error_of(text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load_sources(parse(text, "c.toml"))
    return str(raised.value)


def test_the_sources_are_the_files_that_have_a_run() -> None:
    assert {"ecms_udp", "mcee_serial", "replay"} <= set(source_names())
    assert not {"ecms_wire", "ecms_collector", "__init__"} & set(source_names())
    assert source_names() == sorted(source_names())


def test_a_source_is_loaded_with_its_options_checked(drafts: Path) -> None:
    (drafts / "goodbox.py").write_text(GOOD, encoding="utf-8")
    (source,) = load_sources(parse("[source.goodbox]\ngap_limit_s = 5", "c.toml"))
    assert source.options.traits.gap_limit_ms == 5000


def test_an_unknown_source_is_named_with_those_that_exist() -> None:
    there_are = ", ".join(source_names())
    assert error_of("[source.nosuch]") == f"c.toml:1: source.nosuch: no such source; there are: {there_are}"


def test_a_source_that_cannot_be_imported_is_named_and_disturbs_no_home_without_it(drafts: Path) -> None:
    (drafts / "badbox.py").write_text("import no_such_library\n\nasync def run(c, i):\n    pass\n", encoding="utf-8")
    said = error_of("[source.badbox]")
    assert said.startswith("c.toml:1: source.badbox: sources/badbox.py cannot be imported: ")
    assert "no_such_library" in said
    assert [source.name for source in load_sources(parse("[source.ecms_udp]", "c.toml"))] == ["ecms_udp"]


def test_traits_that_cannot_be_are_told_with_the_line(drafts: Path) -> None:
    (drafts / "oddbox.py").write_text(GOOD, encoding="utf-8")
    assert "source.oddbox: its traits cannot be used: gap limit" in error_of("[source.oddbox]\ngap_limit_s = -3")
    (drafts / "barebox.py").write_text(GOOD.replace("def traits", "def trades"), encoding="utf-8")
    assert "has no attribute 'traits'" in error_of("[source.barebox]")


BROKERED = GOOD.replace(
    "gap_limit_s: float = 30.0", "gap_limit_s: float = 30.0\n    broker: str | None = 'home'"
).replace("run(config, inbox)", "run(config, inbox, broker, wait=None)")


def test_a_source_is_given_what_it_asks_for_by_the_names_of_its_parameters(drafts: Path) -> None:
    (drafts / "wirebox.py").write_text(BROKERED, encoding="utf-8")
    (drafts / "goodbox.py").write_text(GOOD, encoding="utf-8")
    text = '[broker.home]\nhost = "a"\n[broker.other]\nhost = "b"\n[source.wirebox]\n[source.goodbox]\n'
    config = parse(text, "c.toml")
    sources = load_sources(config)
    wiring = Wiring.of_home(config, sources, "0123456789")
    (name,) = wiring.brokers
    assert name == "home"  # nobody uses the other
    assert [wiring.wanted(source.module.run, source.options) for source in sources] == [
        {"broker": wiring.brokers["home"]},
        {},
    ]


def test_a_broker_that_there_is_not_is_told_with_the_line(drafts: Path) -> None:
    (drafts / "wirebox.py").write_text(BROKERED, encoding="utf-8")
    assert error_of("[source.wirebox]") == "c.toml:1: source.wirebox.broker: there is no [broker.home]"
    text = "[source.wirebox]\n\nbroker = 'nowhere'"
    assert error_of(text) == "c.toml:3: source.wirebox.broker: there is no [broker.nowhere]"


def test_a_source_may_do_without_a_broker(drafts: Path) -> None:
    (drafts / "loosebox.py").write_text(BROKERED.replace("'home'", "None"), encoding="utf-8")
    config = parse("[source.loosebox]", "c.toml")
    sources = load_sources(config)
    wiring = Wiring.of_home(config, sources, "0123456789")
    assert wiring.wanted(sources[0].module.run, sources[0].options) == {"broker": None}
