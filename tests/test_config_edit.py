"""A device is written into a config, and all else in it stays as it was written."""

from pathlib import Path

import pytest

from casawatt.config import load, parse
from casawatt.config_edit import ConfigFile, replace_text
from casawatt.model.errors import ConfigError

FORMS = {
    "sections": '# Us\n[meter.tv]\nsource = "a" # old\naddress = "1"\n\n[meter.fridge]\nsource = "a"\naddress = "2"\n',
    "out of order": '[meter.tv]\nsource = "a"\naddress = "1"\n[store]\n[meter.fridge]\nsource = "a"\naddress = "2"\n',
    "one section": '[meter]\ntv = {source = "a", address = "1"}\nfridge = {source = "a", address = "2"}\n',
    "dotted keys": 'meter.tv.source = "a"\nmeter.tv.address = "1"\n[meter.fridge]\nsource = "a"\naddress = "2"\n',
    "other line ends": '[meter.tv]\r\nsource = "a"\r\naddress = "1"\r\n',
    "quoted": "[\"meter\".'tv']\n'source' = 'a'\naddress = \"1\"\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_meters_device_is_written_in_whatever_form_the_config_has(tmp_path: Path, form: str) -> None:
    file = tmp_path / "home.toml"
    file.write_bytes(FORMS[form].encode())
    before = load(file).meters
    ConfigFile(load(file)).set_device("tv", "b", "9")
    after = load(file).meters
    assert (after["tv"].source, after["tv"].address) == ("b", "9")
    assert {slug: meter for slug, meter in after.items() if slug != "tv"} == {
        slug: meter for slug, meter in before.items() if slug != "tv"
    }
    there = file.read_bytes().decode()
    kept = [line for line in FORMS[form].splitlines(keepends=True) if "tv" not in line or "[" in line]
    changed = {line for line in kept if line not in there}
    assert all("source" in line or "address" in line for line in changed)


def test_a_device_of_another_meter_is_not_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "home.toml"
    file.write_text(FORMS["sections"])
    with pytest.raises(ConfigError, match=r"a 2 already measures for \[meter"):
        ConfigFile(load(file)).set_device("tv", "a", "2")
    assert file.read_text() == FORMS["sections"]


def test_what_fails_afterwards_puts_the_file_back(tmp_path: Path) -> None:
    file = tmp_path / "home.toml"
    file.write_text(FORMS["sections"])
    config = ConfigFile(load(file))

    def fail() -> None:
        with config.kept_on_error():
            config.set_device("tv", "b", "9")
            assert "9" in file.read_text()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert file.read_text() == FORMS["sections"]


def test_a_home_without_a_file_says_what_to_write() -> None:
    config = ConfigFile(parse(FORMS["sections"], "the demo home's config"))
    assert set(config.meters()) == {"tv", "fridge"}
    with pytest.raises(ConfigError, match=r'write source = "b" and address = "9" into \[meter\.tv\]'):
        config.set_device("tv", "b", "9")


def test_a_link_stays_a_link_and_who_may_read_it_stays_the_same(tmp_path: Path) -> None:
    file, link = tmp_path / "real.toml", tmp_path / "home.toml"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_text(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home.toml", "real.toml"]
