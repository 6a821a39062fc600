"""The config is checked whole, and each error names its line."""

from pathlib import Path

import msgspec
import pytest

from casawatt.config import load, parse
from casawatt.model.errors import ConfigError
from casawatt.model.meter import Cadence

HOME = """\
[home]
name = "Casa"
timezone = "Europe/Rome"
nominal_voltage_v = 225

[meter.mains]
source = "ecms_udp"
address = "5c:cf:7f:00:00:01"

[meter.fridge]
source = "ecms_udp"
address = "5c:cf:7f:00:00:02"
parent = "mains"
power_factor_ratio = 0.6
"""


def test_a_config_gives_its_values_and_defaults_for_the_rest() -> None:
    config = parse(HOME, "home.toml")
    assert config.home.name == "Casa"
    assert config.home.zone.key == "Europe/Rome"
    assert config.home.nominal_voltage_v == 225
    assert config.web.port == 8480
    assert config.store.sync_s == 10
    assert config.meters["fridge"].parent == "mains"
    assert config.meters["fridge"].power_factor_ratio == 0.6


def test_what_cannot_flow_and_how_readings_are_taken_can_be_said_of_supply_and_meter() -> None:
    config = parse(
        '[supply]\nlimit_w = 6000\n[meter.plug]\nsource = "kasa"\naddress = "a"\nlimit_w = 3680\n'
        'gap_limit_s = 90\ncadence = "polled"\n',
        "home.toml",
    )
    plug = config.meters["plug"]
    assert config.supply.limit_w == 6000
    assert (plug.limit_w, plug.gap_limit_s, plug.cadence) == (3680, 90, Cadence.POLLED)
    assert parse("", "home.toml").supply.limit_w == 50_000


def test_an_empty_config_is_a_whole_one() -> None:
    config = parse("", "empty.toml")
    assert config.meters == {}
    assert config.web.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[home]\n\ntimezon = "x"', "c.toml:3: home.timezon: no such option; there are: name, timezone"),
        ('[web]\nport = "a"', "c.toml:2: web.port: expected `int`, got `str`"),
        ("[web]\nport = 70000", "c.toml:2: web.port: expected `int` <= 65535"),
        (
            "# hello\n[wbe]\nport = 1",
            "c.toml:2: wbe: no such section; there are: alarm, alternative, broker, digest, home",
        ),
        ("home = 3", "c.toml:1: home: a section is written [home]"),
        ("[broker.a]\nport = 1", "c.toml:1: broker.a: object missing required field `host`"),
        ('[broker.A_]\nhost = "a"', "c.toml:1: broker.A_: 'A_' cannot name a broker"),
        ('[broker.a]\nhost = "a"\nca_file = "b"', "c.toml:1: broker.a: ca_file needs tls = true"),
        ('[broker.a]\nhost = "a"\npassword = "b"', "c.toml:3: broker.a.password: no such option; there are: host"),
        ('[home]\ntimezone = "Mars/Base"', "c.toml:2: home.timezone: no time zone is called 'Mars/Base'"),
        ('[home]\ntimezone = "../etc/passwd"', "c.toml:2: home.timezone: '../etc/passwd' is not a time zone"),
        ('[home]\ncurrency = "euro"', "c.toml:2: home.currency: "),
        ("[store]\nsync_s = 0", "c.toml:2: store.sync_s: "),
        ('[meter.A_]\nsource = "x"\naddress = "1"', "c.toml:1: meter.A_: 'A_' cannot name a meter"),
        ('[meter.a]\nsource = "x"', "c.toml:1: meter.a: object missing required field `address`"),
        ('[meter.a]\nsource = "x"\naddress = "1"\nparent = "b"', "c.toml:4: meter.a.parent: there is no [meter.b]"),
        ("[meter]\na = 3", "c.toml:2: meter.a: expected `object`"),
        ("[source]\nx = 3", "c.toml:2: source.x: a source is written [source.x]"),
        ('[digest]\nat = "24:00"', "c.toml:2: digest.at: "),
        ("[digest]\nresolutions = [15, 7]", "c.toml:1: digest: `resolutions`: 7 does not divide the 1440 minutes"),
        ("[digest]\nresolutions = [0]", "c.toml:2: digest.resolutions"),
        ("[home\n", "c.toml: not valid TOML: "),
        ('[home]\nname = "a"\nname = "b"', "c.toml: not valid TOML: "),
    ],
)
def test_an_error_names_the_file_the_line_and_the_option(text: str, error: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(text, "c.toml")
    assert str(raised.value).startswith(error)


def test_two_meters_cannot_have_one_device() -> None:
    text = HOME + '\n[meter.other]\nsource = "ecms_udp"\naddress = "5c:cf:7f:00:00:02"\n'
    with pytest.raises(
        ConfigError, match=r"home.toml:18: meter.other.address: .* already measures for \[meter.fridge\]"
    ):
        parse(text, "home.toml")


def test_a_meter_cannot_be_part_of_itself_by_way_of_others() -> None:
    text = "".join(
        f'[meter.{slug}]\nsource = "x"\naddress = "{slug}"\nparent = "{parent}"\n'
        for slug, parent in (("a", "b"), ("b", "c"), ("c", "a"))
    )
    with pytest.raises(ConfigError, match=r"meter.a.parent: goes in a circle: a > b > c > a"):
        parse(text, "c.toml")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source would read."""

    port: int = 4444


def test_the_options_of_a_source_are_checked_by_the_source() -> None:
    config = parse("[source.x]\nport = 5000", "c.toml")
    assert config.source_options("x", Options).port == 5000


def test_an_option_that_no_source_reads_is_an_error_that_names_its_line() -> None:
    config = parse("[source.x]\nport = 5000\n\nprot = 1", "c.toml")
    with pytest.raises(ConfigError, match=r"c.toml:4: source.x.prot: no such option; there are: port"):
        config.source_options("x", Options)


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A source with a list of sections."""

    entry: list[Options] = []


def test_an_error_in_one_of_several_sections_of_a_name_names_the_line_in_that_one() -> None:
    text = "[source.x]\n\n[[source.x.entry]]\nport = 5\n\n[[source.x.entry]]\nport = 6\n\n[[source.x.entry]]\nport = {}"
    with pytest.raises(ConfigError, match=r"c.toml:10: source.x.entry.2.port: expected `int`, got `str`"):
        parse(text.format('"7"'), "c.toml").source_options("x", Listed)
    with pytest.raises(ConfigError, match=r"c.toml:10: source.x.entry.2.prot: no such option; there are: port"):
        parse(text.replace("port = {}", "prot = 7"), "c.toml").source_options("x", Listed)


def test_a_config_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.toml: cannot be read"):
        load(binary)
