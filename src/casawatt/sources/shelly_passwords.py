"""The passwords of Shellys: from a file that only its owner may read, or one for all from the environment."""

import os

from casawatt.model.errors import ConfigError
from casawatt.transports.secrets import load_secrets

ENVIRONMENT = "CASAWATT_SHELLY_PASSWORD"


class Passwords:
    """Passwords by device id or host, and one for all others."""

    def __init__(self, named: dict[str, str], otherwise: str | None) -> None:
        self._named = named
        self._otherwise = otherwise

    def of(self, *names: str | None) -> str | None:
        """Return the password under the first of `names` that has one, else the one for all; None if there is none."""
        for name in names:
            if name is not None and name.lower() in self._named:
                return self._named[name.lower()]
        return self._otherwise


def load_passwords(file: str | None) -> Passwords:
    """Return the passwords in a file, and the one in the environment.

    The file is TOML, a line a device: `"192.168.1.20" = "secret"`, by host as in the config or by device id. Raises
    ConfigError when it cannot be read, when others than its owner may read it, or when a line is not as above.
    """
    named: dict[str, str] = {}
    if file is not None:
        for name, password in load_secrets(file, "the passwords").items():
            if not isinstance(password, str) or not password:
                raise ConfigError(f'{file}: the password of {name} is written "{name}" = "secret"')
            named[name.lower()] = password
    return Passwords(named, os.environ.get(ENVIRONMENT) or None)
