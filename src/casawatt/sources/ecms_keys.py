"""The keys of ECMS version 2 nodes, one for each station."""

import re

from casawatt.model.errors import ConfigError
from casawatt.transports.secrets import load_secrets

KEY_BYTES = 32
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def load_keys(file: str) -> dict[bytes, bytes]:
    """Return the 32-byte key of each station, by its six MAC bytes.

    The file is TOML, a line a station: `"5c:cf:7f:01:02:03" = "<64 hex digits>"`. Raises ConfigError when it
    cannot be read, when others than its owner may read it, or when a line is not as above.
    """
    return dict(_key(file, mac, text) for mac, text in load_secrets(file, "the keys").items())


def _key(file: str, mac: str, text: object) -> tuple[bytes, bytes]:
    if not _MAC.fullmatch(mac.lower()):
        message = f'{file}: {mac!r} is no station; write it like "5c:cf:7f:01:02:03"'
        raise ConfigError(message)
    try:
        key = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        message = f"{file}: the key of {mac} must be {2 * KEY_BYTES} hex digits in quotes"
        raise ConfigError(message)
    return bytes.fromhex(mac.replace(":", "")), key
