"""Adding to a config: what is there stays as it was written."""

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt import config as configs
from casawatt.config_additions import Addition, NewMeter, lines_for, slug_of, with_additions, write
from casawatt.model.errors import ConfigError
from casawatt.model.found import Item
from casawatt.model.meter import check_slug

CONFIG = """\
# Our home
[home]
name = 'Casa'   # single quotes, on purpose

[source.shelly]   # the plugs
hosts = [
  "10.0.0.1", # kitchen
  "10.0.0.2",
]
poll_s = 5

# the mains
[source.mcee_serial]
poll_s = 10

[meter.mains]
source = "mcee_serial"
address = "mcee"
"""
KETTLE = Addition("shelly", {"hosts": ["10.0.0.3"]}, (NewMeter("kettle", 'The "big" kettle', "shelly-1/0"),))


def added(*additions: Addition, text: str = CONFIG) -> str:
    return with_additions(text, "home.toml", additions)


def without(new: str, *lines: str) -> str:
    """Return the text without these lines, each of which must be there."""
    kept = new.splitlines(keepends=True)
    for line in lines:
        kept.remove(line + "\n")
    return "".join(kept)


def test_a_list_grows_a_meter_is_added_and_nothing_else_changes() -> None:
    new = added(KETTLE)
    meter = ["", "[meter.kettle]", 'name = "The \\"big\\" kettle"', 'source = "shelly"', 'address = "shelly-1/0"']
    assert new.endswith("\n".join(meter) + "\n")
    assert without(new.removesuffix("\n".join(meter) + "\n"), '  "10.0.0.3",') == CONFIG
    assert configs.parse(new, "home.toml").sources["shelly"]["hosts"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_an_option_goes_below_its_sections_title_and_disturbs_no_comment() -> None:
    new = added(Addition("mcee_serial", {"port": "/dev/serial/by-id/x"}))
    assert '[source.mcee_serial]\nport = "/dev/serial/by-id/x"\npoll_s = 10\n' in new
    assert without(new, 'port = "/dev/serial/by-id/x"') == CONFIG


def test_a_section_that_is_not_there_goes_to_the_end() -> None:
    new = added(Addition("tasmota", {"configure": True, "topics": ["tasmota_1"]}))
    assert new == CONFIG + '\n[source.tasmota]\nconfigure = true\ntopics = ["tasmota_1"]\n'


def test_what_is_said_already_is_not_said_again() -> None:
    assert added(Addition("shelly", {"hosts": ["10.0.0.2"], "poll_s": 5})) == CONFIG


def test_an_option_with_another_value_is_left_and_its_line_named() -> None:
    with pytest.raises(ConfigError, match=r"home\.toml:14: source\.mcee_serial\.poll_s: says 10 already.*needs 20"):
        added(Addition("mcee_serial", {"poll_s": 20}))
    with pytest.raises(ConfigError, match=r"poll_s: says 5 already"):
        added(Addition("shelly", {"poll_s": ["a"]}))


def test_two_devices_that_want_one_option_differently_are_not_both_added() -> None:
    with pytest.raises(ConfigError, match=r'port: says "a" already.*needs "b"'):
        added(Addition("mcee_serial", {"port": "a"}), Addition("mcee_serial", {"port": "b"}))


def test_a_slug_that_is_taken_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"home\.toml:16: meter\.mains: there is a meter of that name already"):
        added(Addition("shelly", {}, (NewMeter("mains", "Mains", "x"),)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# only a remark",
        "[source.shelly]",
        "[source]\nshelly = {}\n",
        "source.shelly.timeout_s = 5\n",
        "[source.'shelly']\n# nothing\n[home]\n",
        '[source.shelly]\nhosts = []\n[home]\nname = "x"',
        "[source]\n[source.other]\n",
    ],
)
def test_a_config_in_any_form_is_added_to(text: str) -> None:
    new = tomllib.loads(added(Addition("shelly", {"hosts": ["a"], "poll_s": 3}), text=text))
    assert new["source"]["shelly"].pop("hosts") == ["a"]
    assert new["source"]["shelly"].pop("poll_s") == 3
    old = tomllib.loads(text)
    old.setdefault("source", {}).setdefault("shelly", {}).pop("hosts", None)
    assert new == old


ZIGBEE = Addition("mqtt_json", {"topic": [{"preset": "zigbee2mqtt"}]}, (NewMeter("tv", "TV", "zigbee2mqtt/tv"),))


@pytest.mark.parametrize(
    ("text", "presets"),
    [
        ("", ["zigbee2mqtt"]),
        ("[source.mqtt_json]\nbroker = 'x'\n", ["zigbee2mqtt"]),
        ("[[source.mqtt_json.topic]]\npreset = 'esphome'\n[home]\nname = 'x'\n", ["esphome", "zigbee2mqtt"]),
        ("[[source.mqtt_json.topic]]\npreset = 'zigbee2mqtt'\ngap_limit_s = 20\n", ["zigbee2mqtt"]),
    ],
)
def test_a_list_of_tables_grows_by_a_section(text: str, presets: list[str]) -> None:
    new = added(ZIGBEE, text=text)
    assert new.startswith(text)
    assert [each["preset"] for each in tomllib.loads(new)["source"]["mqtt_json"]["topic"]] == presets
    assert tomllib.loads(new)["meter"]["tv"]["address"] == "zigbee2mqtt/tv"


def test_a_list_of_tables_in_brackets_is_left_to_the_person() -> None:
    with pytest.raises(ConfigError, match="cannot be added to"):
        added(ZIGBEE, text="[source.mqtt_json]\ntopic = [{preset = 'esphome'}]\n")


def test_the_lines_of_a_table_stand_alone() -> None:
    tables = tomllib.loads("[[source.mqtt_json.topic]]\npreset = 'esphome'\n")["source"]["mqtt_json"]
    meter = '\n[meter.tv]\nname = "TV"\nsource = "mqtt_json"\naddress = "zigbee2mqtt/tv"\n'
    assert lines_for(ZIGBEE, tables) == '[[source.mqtt_json.topic]]\npreset = "zigbee2mqtt"\n' + meter
    assert lines_for(ZIGBEE, None) == '[[source.mqtt_json.topic]]\npreset = "zigbee2mqtt"\n' + meter


def test_line_ends_of_another_system_stay_and_are_used() -> None:
    windows = CONFIG.replace("\n", "\r\n")
    new = added(KETTLE, Addition("mcee_serial", {"port": "x"}), text=windows)
    assert new.replace("\r\n", "\n") == added(KETTLE, Addition("mcee_serial", {"port": "x"}))


def test_a_form_that_cannot_be_added_to_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"home\.toml: not valid TOML, or cannot be added to"):
        added(KETTLE, text='meter = {mains = {source = "a", address = "b"}}\n')
    with pytest.raises(ConfigError, match="not valid TOML"):
        added(KETTLE, text="[home\n")


def test_the_lines_to_copy_show_lists_whole_and_repeat_nothing_else() -> None:
    tables = tomllib.loads(CONFIG)["source"]
    assert lines_for(KETTLE, tables["shelly"]) == (
        '[source.shelly]\nhosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]\n\n'
        '[meter.kettle]\nname = "The \\"big\\" kettle"\nsource = "shelly"\naddress = "shelly-1/0"\n'
    )
    assert lines_for(Addition("ecms_udp", {}), None) == "[source.ecms_udp]\n"
    assert lines_for(Addition("mcee_serial", {"poll_s": 10}), tables["mcee_serial"]) == ""


TEXT = st.text(max_size=20)


@given(TEXT, TEXT, st.lists(TEXT, max_size=3))
def test_whatever_a_device_is_called_it_can_be_read_back(name: str, address: str, hosts: list[Item]) -> None:
    new = tomllib.loads(added(Addition("s", {"hosts": hosts, "port": address}, (NewMeter("a", name, address),))))
    assert new["source"]["s"] == {"hosts": hosts, "port": address}
    assert new["meter"]["a"] == {"name": name, "source": "s", "address": address}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Lavatrice (bagno)", "lavatrice-bagno"),
        ("Größe Ø", "grosse-o"),
        ("Café", "cafe"),
        ("Mains", "mains-3"),
        ("  ", "meter"),
        ("x" * 100, "x" * 60),
    ],
)
def test_a_slug_is_made_of_the_name_as_the_page_makes_it(name: str, slug: str) -> None:
    assert slug_of(name, {"mains", "mains-2"}) == slug


@given(st.text(max_size=200), st.sets(st.sampled_from(["meter", "meter-2", "a"])))
def test_every_slug_can_name_a_meter_and_is_free(name: str, taken: set[str]) -> None:
    slug = slug_of(name, taken)
    assert check_slug(slug) == slug
    assert slug not in taken


def test_a_config_is_written_whole_with_its_mode_and_the_old_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text(CONFIG)
    path.chmod(0o640)
    (tmp_path / "link.toml").symlink_to(path)
    write(tmp_path / "link.toml", "[home]\r\n", before=CONFIG)
    assert path.read_bytes() == b"[home]\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (tmp_path / "link.toml").is_symlink()
    assert (tmp_path / "home.toml.bak").read_text() == CONFIG
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home.toml", "home.toml.bak", "link.toml"]


def test_a_config_that_was_changed_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text("[home]\nname = 'by hand'\n")
    with pytest.raises(ConfigError, match="was changed by somebody else"):
        write(path, "x", before=CONFIG)
    with pytest.raises(ConfigError, match="was changed by somebody else"):
        write(path, "x", before=None)
    assert path.read_text() == "[home]\nname = 'by hand'\n"


def test_a_config_that_cannot_be_written_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "home.toml"
    path.write_text(CONFIG)

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(path, "x", before=CONFIG)
    assert path.read_text() == CONFIG
    assert sorted(file.name for file in tmp_path.iterdir()) == ["home.toml", "home.toml.bak"]


def test_a_first_config_is_written_with_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "new" / "home.toml", CONFIG, before=None)
    assert (tmp_path / "new" / "home.toml").read_text() == CONFIG
