"""Files of secrets."""

from pathlib import Path

import pytest

from casawatt.model.errors import ConfigError
from casawatt.transports.secrets import load_secrets


def test_a_file_of_its_owner_alone_is_read(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text('user = "a"\n', encoding="utf-8")
    file.chmod(0o600)
    assert load_secrets(str(file), "the password") == {"user": "a"}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secrets.toml"
    file.touch()
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {file}"):
        load_secrets(str(file), "the password")


def test_a_broken_file_is_named_and_none_of_it_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text("password = hunter2\n", encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=r"cannot read the password in .*secrets\.toml") as caught:
        load_secrets(str(file), "the password")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
