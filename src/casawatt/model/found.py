"""A device that was found by looking for it."""

import msgspec

Item = str | dict[str, str]
Option = str | int | bool | list[Item]
"""The value of an option, as a config file has it."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A device that a source could read, whether or not a meter names it already.

    `addresses` are those its readings would come under, one for each of its metered channels; empty while they are
    not known yet. `where` is how it is reached, e.g. an IP address, a topic or a serial port. `options` are what
    `[source.<source>]` needs so as to read it, beside its defaults; a list is added to the list that is there, one of
    tables as further `[[source.<source>.<option>]]`.
    `note` is what a person must know or do first, e.g. that it wants a password.
    """

    source: str
    addresses: tuple[str, ...]
    where: str
    name: str | None = None
    model: str | None = None
    options: dict[str, Option] = {}
    note: str | None = None
