"""What a search for devices has found, as the API answers it, and who is asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from casawatt.model.found import Option


class ChannelDocument(msgspec.Struct, frozen=True):
    """A metered channel of a device, and the slug of the meter that it measures for (null: none)."""

    address: str
    meter: str | None


class FindingDocument(msgspec.Struct, frozen=True):
    """A device that was found. `where`: how it is reached; `note`: what a person must know or do first.

    `channels` is empty while they are not known. `adoptable`: its source runs here and reads it, so that
    it can be made a meter at once; otherwise `config` holds the lines that the config file needs, and a restart.
    `options` are those of them that go into the section of its source.
    """

    source: str
    name: str | None
    model: str | None
    where: str
    note: str | None
    channels: list[ChannelDocument]
    adoptable: bool
    options: Mapping[str, Option]
    config: str


class FailureDocument(msgspec.Struct, frozen=True):
    """A source that could not look for devices, and why."""

    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Search:
    """The search that runs or, if none does, the last one; times in UTC ms, None before the first.

    `waiting` are the sources that are still looking.
    """

    started_ms: int | None
    finished_ms: int | None
    waiting: list[str]
    found: list[FindingDocument]
    failed: list[FailureDocument]

    @property
    def running(self) -> bool:
        """Whether it has not finished yet."""
        return self.started_ms is not None and self.finished_ms is None


class DiscoveryPort(Protocol):
    """Who looks for devices."""

    def search(self) -> Search:
        """Return how the search is going, or how the last one ended."""
        ...

    def start(self, timeout_s: float) -> bool:
        """Begin to look for devices, each source for so long; returns False when a search is running already."""
        ...
