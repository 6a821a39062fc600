"""Finding what meters at a broker: what zigbee2mqtt and ESPHome announce, and what the configured topics say."""

from casawatt.model.errors import PacketError
from casawatt.model.found import Found, Option
from casawatt.sources.mqtt_json_announced import HOME_ASSISTANT, BridgeDevice, Sensor, announced_sensor, bridge_devices
from casawatt.sources.mqtt_json_entry import Mapping
from casawatt.sources.mqtt_json_topics import without_overlap
from casawatt.transports.mqtt import Message

BRIDGE = "zigbee2mqtt/bridge/devices"
METERED = {"power", "energy", "current"}
ESPHOME = "/sensor/"


class Search:
    """Collects what is announced and heard. `mappings` are the configured ones."""

    def __init__(self, mappings: list[Mapping]) -> None:
        self._mappings = mappings
        self._bridge: dict[str, BridgeDevice] = {}
        self._sensors: dict[str, Sensor] = {}
        self._heard: dict[str, str] = {}

    def topics(self) -> list[str]:
        """Return the topic filters to subscribe to; none overlaps another."""
        return without_overlap([BRIDGE, HOME_ASSISTANT, *(mapping.pattern.subscription for mapping in self._mappings)])

    def take(self, message: Message) -> None:
        """Take one message in; what is not understood is no device."""
        try:
            if message.topic == BRIDGE:
                self._bridge = {device.friendly_name: device for device in bridge_devices(message.payload)}
            elif message.topic.startswith("homeassistant/"):
                sensor = announced_sensor(message.payload) if message.payload else None
                if sensor and sensor.field in {"power", "register"} and ESPHOME in sensor.state_topic:
                    self._sensors[sensor.state_topic] = sensor
            else:
                self._take_heard(message)
        except PacketError:
            return

    def _take_heard(self, message: Message) -> None:
        for mapping in self._mappings:
            parts = mapping.pattern.match(message.topic)
            address = mapping.address_of(parts) if parts is not None and mapping.preset is None else None
            if address is not None:
                self._heard.setdefault(address, message.topic)

    def found(self) -> list[Found]:
        """Return what was found, by name."""
        found = [self._zigbee(device) for device in self._bridge.values() if METERED & device.units().keys()]
        nodes: dict[str, Sensor] = {}
        for sensor in self._sensors.values():
            nodes.setdefault(sensor.state_topic.partition(ESPHOME)[0], sensor)
        found += [self._esphome(node, sensor) for node, sensor in nodes.items()]
        found += [
            Found(source="mqtt_json", addresses=(address,), where=topic) for address, topic in self._heard.items()
        ]
        return sorted(found, key=lambda each: (each.where, each.addresses))

    def _zigbee(self, device: BridgeDevice) -> Found:
        definition = device.definition
        model = " ".join(filter(None, (definition.vendor, definition.model))) if definition else None
        name = device.friendly_name
        return Found(
            source="mqtt_json",
            addresses=(f"zigbee2mqtt/{name}",),
            where=f"zigbee2mqtt/{name}",
            name=name,
            model=model or None,
            options=self._options("zigbee2mqtt"),
        )

    def _esphome(self, node: str, sensor: Sensor) -> Found:
        return Found(
            source="mqtt_json",
            addresses=(f"esphome/{node}",),
            where=node,
            name=sensor.device or node,
            model="ESPHome",
            options=self._options("esphome"),
        )

    def _options(self, preset: str) -> dict[str, Option]:
        return {} if any(mapping.preset == preset for mapping in self._mappings) else {"topic": [{"preset": preset}]}
