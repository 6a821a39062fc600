"""Changes to the config file that leave all else in it as it was written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomlkit

from casawatt.config import Config, load, parse
from casawatt.config_sections import MeterConfig
from casawatt.model.errors import ConfigError
from casawatt.model.tariff import Tariff


class ConfigFile:
    """The file that a config was read from, as it is now; the demo home has none."""

    def __init__(self, config: Config) -> None:
        """Go by the file of `config` if there is one, else by `config` itself."""
        self._config = config
        self._path = Path(config.document.path)

    def meters(self) -> dict[str, MeterConfig]:
        """Return the meters that the next start will find in the config. Raises ConfigError."""
        return load(self._path).meters if self._path.is_file() else self._config.meters

    def tariffs(self) -> tuple[Tariff, ...]:
        """Return the tariffs that the next start will find in the config. Raises ConfigError."""
        return load(self._path).tariffs if self._path.is_file() else self._config.tariffs

    @contextmanager
    def kept_on_error(self) -> Iterator[None]:
        """Put the file back as it is now when what is done inside fails."""
        text = self._text() if self._path.is_file() else None
        try:
            yield
        except BaseException:
            if text is not None and self._text() != text:
                replace_text(self._path, text)
            raise

    def set_device(self, slug: str, source: str, address: str) -> None:
        """Write which device measures for a meter. Raises ConfigError when it cannot, and says what to write."""
        by_hand = f'write source = "{source}" and address = "{address}" into [meter.{slug}]'
        if not self._path.is_file():
            message = f"{self._path}: cannot be changed; {by_hand}"
            raise ConfigError(message)
        document: Any = tomlkit.parse(self._text())
        section = document["meter"][slug]
        section["source"], section["address"] = source, address
        text = tomlkit.dumps(document)
        made = parse(text, str(self._path)).meters[slug]
        if (made.source, made.address) != (source, address):
            message = f"{self._path}: is written in a form that cannot be changed by itself; {by_hand}, then try again"
            raise ConfigError(message)
        try:
            replace_text(self._path, text)
        except OSError as error:
            message = f"{self._path}: cannot be written ({error.strerror}); {by_hand} by hand, then try again"
            raise ConfigError(message) from error

    def _text(self) -> str:
        """Return what stands in the file, its line ends included."""
        return self._path.read_bytes().decode("utf-8")


def replace_text(path: Path, text: str) -> None:
    """Put a text in the place of a file's, all or nothing; who may read it stays the same. Raises OSError."""
    place = path.resolve()
    was = place.stat()
    handle, made = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(was.st_mode & 0o777)
        with suppress(PermissionError):  # then it is the owner who writes, or one of the group
            os.chown(made, was.st_uid, was.st_gid)
        Path(made).replace(place)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
