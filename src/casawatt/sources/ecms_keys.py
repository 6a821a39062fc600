"""The keys of ECMS version 2 nodes, one for each station."""

import re
import stat
import tomllib
from pathlib import Path

from casawatt.model.errors import ConfigError

KEY_BYTES = 32
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def load_keys(file: str) -> dict[bytes, bytes]:
    """Return the 32-byte key of each station, by its six MAC bytes.

    The file is TOML, a line a station: `"5c:cf:7f:01:02:03" = "<64 hex digits>"`. Raises ConfigError when it
    cannot be read, when others than its owner may read it, or when a line is not as above.
    """
    path = Path(file)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            message = f"{file} holds secrets and may be read by others (mode {mode:04o}): chmod 600 {file}"
            raise ConfigError(message)
        lines = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"cannot read the keys in {file}: {error}"
        raise ConfigError(message) from error
    return dict(_key(file, mac, text) for mac, text in lines.items())


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
