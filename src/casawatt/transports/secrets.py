"""Files of secrets: read only when nobody but their owner can read them."""

import stat
import tomllib
from pathlib import Path
from typing import Any

from casawatt.model.errors import ConfigError


def load_secrets(file: str, what: str) -> dict[str, Any]:
    """Return the TOML table in a file of secrets; `what` is what it holds, for a person: "the keys".

    Raises ConfigError when it cannot be read, or when others than its owner may read it. No secret is in the error.
    """
    try:
        return tomllib.loads(private_text(file, what))
    except ValueError as error:
        message = f"cannot read {what} in {file}: {error}"
        raise ConfigError(message) from None


def private_text(file: str, what: str) -> str:
    """Return the text of a file of secrets; raises ConfigError as `load_secrets` does."""
    path = Path(file)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            message = f"{file} holds secrets and may be read by others (mode {mode:04o}): chmod 600 {file}"
            raise ConfigError(message)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        message = f"cannot read {what} in {file}: {error}"
        raise ConfigError(message) from None


def load_password(file: str) -> str:
    """Return the password in a file that holds nothing else; raises ConfigError as `load_secrets` does."""
    return private_text(file, "the password").strip("\r\n")
