"""Finding the Tasmota devices of a broker."""

from casawatt.model.errors import PacketError
from casawatt.model.found import Found
from casawatt.sources.tasmota_collector import SENSORS, STAT
from casawatt.sources.tasmota_wire import (
    DISCOVERY,
    Announced,
    Channel,
    FullTopic,
    Place,
    parse_announced,
    parse_object,
    parse_sensor,
    telemetry,
)
from casawatt.transports.mqtt import Message

GROUP = "tasmotas"
"""The topic to which every device listens beside its own, `GroupTopic` as it comes."""

UNHEARD = "it has not said yet whether it meters"


class Search:
    """Collects what devices say of themselves."""

    def __init__(self, full_topics: dict[str, FullTopic]) -> None:
        self._full_topics = full_topics
        self._announced: dict[str, Announced] = {}
        """By MAC address."""
        self._sensors: dict[str, tuple[Channel, ...]] = {}
        """By MAC address."""
        self._channels: dict[str, tuple[Channel, ...]] = {}
        """By the device's topic."""
        self._names: dict[str, str] = {}
        self._where: dict[str, str] = {}

    def topics(self) -> list[str]:
        """Return the topic filters to subscribe to."""
        full = self._full_topics.values()
        said = [each.subscription("tele", about) for each in full for about in ("LWT", "SENSOR")]
        answers = [each.subscription("stat", about) for each in full for about in (*STAT, "STATUS")]
        return [f"{DISCOVERY}/+/config", f"{DISCOVERY}/+/sensors", *said, *answers]

    def questions(self) -> list[tuple[str, str]]:
        """Return topics and payloads that ask all devices for their name and what they measure."""
        return [
            (f"{each.commands(GROUP)}/Status", number) for each in self._full_topics.values() for number in ("0", "10")
        ]

    @property
    def is_complete(self) -> bool:
        """Whether something was found, and nothing that it is not known of whether it meters."""
        found = self.found()
        return bool(found) and all(each.addresses for each in found)

    def take(self, message: Message) -> None:
        """Take one message in; what is not understood is no device."""
        try:
            if message.topic.startswith(f"{DISCOVERY}/"):
                self._take_announced(message)
                return
            for full in self._full_topics.values():
                if place := full.place(message.topic):
                    self._take_said(place, message)
                    return
        except PacketError:
            return

    def _take_announced(self, message: Message) -> None:
        *_, mac, about = message.topic.split("/")
        if message.payload and about == "config":
            self._announced[mac] = parse_announced(message.payload)
        elif message.payload:
            inside = parse_object(message.payload).get("sn")
            self._sensors[mac] = telemetry(inside).channels if isinstance(inside, dict) else ()

    def _take_said(self, place: Place, message: Message) -> None:
        self._where.setdefault(place.device, message.topic.rpartition("/")[0])
        if place.about in SENSORS:
            self._channels[place.device] = parse_sensor(message.payload).channels
        elif place.about == "STATUS":
            status = parse_object(message.payload).get("Status")
            if isinstance(status, dict) and isinstance(status.get("DeviceName"), str):
                self._names[place.device] = status["DeviceName"]

    def found(self) -> list[Found]:
        """Return what was found, by name: devices that meter, and those that have not said yet whether they do."""
        by_mac = {announced.topic: (mac, announced) for mac, announced in self._announced.items()}
        found = []
        for topic in sorted({*by_mac, *self._where}):
            mac, announced = by_mac.get(topic, ("", None))
            channels = self._channels.get(topic, self._sensors.get(mac))
            if channels == ():
                continue
            foreign = announced is not None and announced.full_topic.rstrip("/") not in self._full_topics
            found.append(
                Found(
                    source="tasmota",
                    addresses=tuple(topic + channel.suffix for channel in channels or ()),
                    where=(announced and announced.address) or self._where.get(topic, topic),
                    name=_name(announced) or self._names.get(topic),
                    model=announced.model if announced else None,
                    options={"full_topics": [announced.full_topic]} if announced and foreign else {},
                    note=None if channels else UNHEARD,
                )
            )
        return found


def _name(announced: Announced | None) -> str | None:
    """Return what the owner calls a device: its first friendly name says more than `Tasmota`."""
    if announced is None:
        return None
    first = announced.names[0] if announced.names else None
    return first if announced.name in {None, "Tasmota"} and first else announced.name
