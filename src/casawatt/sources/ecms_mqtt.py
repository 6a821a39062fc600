"""ECMS nodes of version 1 by MQTT; see `docs/devices/ecms_mqtt.md`."""

import re
from collections.abc import Callable
from typing import Annotated

import msgspec

from casawatt.model.errors import PacketError
from casawatt.model.meter import Cadence, Traits
from casawatt.model.ports import Inbox
from casawatt.model.reading import Reading
from casawatt.sources.ecms_wire import APPLIANCES
from casawatt.transports.mqtt import Broker, Message

SOURCE = "ecms_mqtt"

CLOCK_SET_S = 946_684_800
"""2000-01-01 UTC: a node that has not got the time yet counts from 1970."""

PAYLOAD_BYTES_MAX = 4096
"""A node says less than a hundred; what is longer is not read."""

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `[source.ecms_mqtt]`. The docstring below each one is what the documentation says of it."""

    broker: str = "home"
    """The broker that the nodes report to: the name of a section `[broker.<name>]`."""
    topic: Annotated[str, msgspec.Meta(min_length=1)] = "energy_consumption"
    """The topic that they report on."""
    gap_limit_s: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    """Readings of a node further apart than this have a gap between them."""

    @property
    def traits(self) -> Traits:
        """Nodes measure at even times, on whole seconds. What waited at the broker is rightly old: no clock limit."""
        return Traits(Cadence.POLLED, gap_limit_ms=round(self.gap_limit_s * 1000), time_grid_ms=1000)


class Report(msgspec.Struct, frozen=True):
    """What a node says. `timestamp` is Unix seconds, `device` what it is attached to, `data` amperes."""

    mac: str = msgspec.field(name="macAddress")
    timestamp: int
    data: float
    device: int = 0


_DECODER = msgspec.json.Decoder(Report)


def parse(payload: bytes, received_ms: int) -> tuple[Reading, int]:
    """Return the reading in a message, and the code of the appliance; its time is None where the node has no clock.

    Raises PacketError: `length`, `format`, or `address` where the station is no MAC address.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise PacketError("length", f"{len(payload)} bytes are too many: at most {PAYLOAD_BYTES_MAX}")
    try:
        said = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PacketError("format", str(error)) from None
    address = said.mac.lower()
    if not _MAC.fullmatch(address):
        raise PacketError("address", f"{said.mac!r} is no MAC address")
    reading = Reading(
        source=SOURCE,
        address=address,
        received_ms=received_ms,
        time_ms=said.timestamp * 1000 if said.timestamp >= CLOCK_SET_S else None,
        current_a=said.data,
    )
    return reading, said.device


def taker(inbox: Inbox) -> Callable[[Message], None]:
    """Return what takes a message of a node and puts its reading into the inbox."""

    def take(message: Message) -> None:
        try:
            reading, code = parse(message.payload, inbox.clock.now_ms())
        except PacketError as error:
            inbox.refuse(message.topic, error.cause, str(error))
            return
        if reading.time_ms is None:
            if message.retained:
                return  # of no one knows when
            inbox.refuse(reading.address, "clock", "it has not got the time yet; the time of arrival is taken")
        hint = APPLIANCES.get(code)
        if hint is None:
            inbox.refuse(reading.address, "appliance", f"appliance code {code} means nothing; reading taken")
        inbox.put(reading, hint=hint)

    return take


async def run(config: Config, inbox: Inbox, broker: Broker) -> None:
    """Take in what nodes report until cancelled; raises PermissionError when the broker does not let us have it."""
    async with broker.listening([config.topic], taker(inbox), inbox.kept) as listening:
        await listening.failed()
