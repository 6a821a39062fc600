"""The keys file: read only when nobody else can read it."""

from pathlib import Path

import pytest

from casawatt.model.errors import ConfigError
from casawatt.sources.ecms_keys import load_keys

KEY = "ab" * 32


def written(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "keys.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return str(file)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_keys_file_gives_each_station_its_key(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, f'"5c:cf:7f:01:02:03" = "{KEY}"\n"5C:CF:7F:01:02:04" = "{"00" * 32}"\n', mode)
    assert load_keys(file) == {
        bytes.fromhex("5ccf7f010203"): bytes.fromhex(KEY),
        bytes.fromhex("5ccf7f010204"): bytes(32),
    }


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_keys_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, "", mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {file}"):
        load_keys(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'"5c:cf:7f:01:02" = "{KEY}"', "is no station"),
        (f'"fridge" = "{KEY}"', "is no station"),
        ('"5c:cf:7f:01:02:03" = "abcd"', "64 hex digits"),
        ('"5c:cf:7f:01:02:03" = "' + "zz" * 32 + '"', "64 hex digits"),
        ('"5c:cf:7f:01:02:03" = 5', "64 hex digits"),
        ("not toml", "cannot read the keys"),
    ],
)
def test_a_line_that_is_wrong_is_named_without_showing_a_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_keys(written(tmp_path, text))
    assert KEY not in str(caught.value)


def test_a_keys_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_keys(str(tmp_path / "nowhere.toml"))
