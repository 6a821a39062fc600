"""Shellys of generation 2 and newer over MQTT.

`<prefix>/events/rpc` has the same notifications as the WebSocket, with their own stamps, so those that waited at the
broker find their place. `<prefix>/status/<component>`, for devices that are set to send it, has a component's whole
status without a stamp; it says nothing that a notification has not said, and is heard from devices that send none.
`<prefix>/online` is the last will. Questions go to `<prefix>/rpc`.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.sources import shelly_rpc
from casawatt.sources.shelly_device import ShellyDevice
from casawatt.sources.shelly_hosts import Claims
from casawatt.transports.http import ANSWER_BYTES_MAX, json_object
from casawatt.transports.mqtt import Broker, Message

log = logging.getLogger(__name__)

NAME = "casawatt-shelly"
"""What we call ourselves to devices; they answer to the topic `<name>/rpc`."""
DEVICES_MAX = 1_000
"""Devices, and prefixes, that are kept apart: more than any home has, and a bound for a flood of forged ones."""
EVENTS, ONLINE, STATUS = "/events/rpc", "/online", "/status/"


class Listener:
    """Hears the devices whose topics have one of `prefixes`, and puts what they say into `inbox`.

    A device in `claims` is being read at its address, and left alone here.
    """

    def __init__(self, broker: Broker, inbox: Inbox, claims: Claims, prefixes: Sequence[str]) -> None:
        self._broker = broker
        self._inbox = inbox
        self._claims = claims
        self._topics = [f"{prefix}{end}" for prefix in prefixes for end in (EVENTS, ONLINE, f"{STATUS}+")]
        self._devices: dict[str, ShellyDevice] = {}
        self._at: dict[str, ShellyDevice] = {}
        self._notifying: set[str] = set()
        self._number = 0

    async def listen(self, refresh_s: float, wait: Callable[[float], Awaitable[None]]) -> None:
        """Listen until cancelled, asking each device that was heard for its whole status every `refresh_s`.

        Raises PermissionError when the broker refuses a topic, and whatever the inbox fails with.
        """
        topics = [*self._topics, f"{NAME}/rpc"]
        async with self._broker.listening(topics, self.take, kept=self._inbox.kept) as listening:
            asking = asyncio.create_task(self._keep_asking(refresh_s, wait))
            try:
                await listening.failed()
            finally:
                asking.cancel()

    def take(self, message: Message) -> None:
        """Take in one message."""
        topic = message.topic
        if (size := len(message.payload)) > ANSWER_BYTES_MAX:
            self._inbox.refuse(topic, "length", f"{size} bytes are too many: at most {ANSWER_BYTES_MAX}")
            return
        try:
            if topic == f"{NAME}/rpc":
                self._take_answer(message.payload)
            elif topic.endswith(EVENTS):
                self._take_event(topic.removesuffix(EVENTS), message.payload, is_new=not message.retained)
            elif topic.endswith(ONLINE):
                self._take_will(topic.removesuffix(ONLINE), message.payload)
            elif not message.retained:
                self._take_status(topic, message.payload)
        except PacketError as error:
            self._inbox.refuse(topic, error.cause, str(error))

    def _take_event(self, prefix: str, payload: bytes, *, is_new: bool) -> None:
        frame = json_object(payload, prefix)
        device = self._device(frame.get("src"), prefix)
        self._notifying.add(prefix)
        if is_new and device.device_id not in self._claims.held:
            shelly_rpc.take(device, frame, self._inbox)

    def _take_status(self, topic: str, payload: bytes) -> None:
        prefix, _, component = topic.rpartition(STATUS)
        if ":" not in component or prefix in self._notifying:
            return
        status = json_object(payload, prefix)
        device = self._at.get(prefix) or self._device(prefix, prefix)
        if device.device_id not in self._claims.held:
            shelly_rpc.put(device, device.change({component: status}, self._inbox.clock.now_ms()), self._inbox)

    def _take_answer(self, payload: bytes) -> None:
        frame = json_object(payload, NAME)
        device = self._devices.get(str(frame.get("src")))
        if device is None or device.device_id in self._claims.held:
            return
        status = frame.get("result")
        if not isinstance(status, dict):
            raise PacketError("answer", f"{device.device_id} refused to tell its status: {str(frame)[:120]}")
        shelly_rpc.put(device, device.full(status, self._inbox.clock.now_ms()), self._inbox)

    def _take_will(self, prefix: str, payload: bytes) -> None:
        device = self._at.get(prefix)
        if device is None or payload not in {b"true", b"false"}:
            return
        for address in device.addresses:
            self._inbox.presence(address, online=payload == b"true")

    def _device(self, device_id: object, prefix: str) -> ShellyDevice:
        """Return the device of that id, which is heard under `prefix` from now on. Raises PacketError."""
        if not isinstance(device_id, str) or not device_id:
            raise PacketError("format", f"{prefix}: a message that does not say who sent it")
        device = self._devices.get(device_id)
        for key, known in ((device_id, self._devices), (prefix, self._at)):
            if key not in known and len(known) >= DEVICES_MAX:
                raise PacketError("flood", f"{key}: there are {DEVICES_MAX} devices already")
        if device is None:
            device = self._devices[device_id] = ShellyDevice(device_id, late=True)
        self._at[prefix] = device
        return device

    async def _keep_asking(self, refresh_s: float, wait: Callable[[float], Awaitable[None]]) -> None:
        """Ask for ever. A device may be set not to answer; it is heard all the same."""
        while True:
            await wait(refresh_s)
            for prefix, device in list(self._at.items()):
                if device.device_id in self._claims.held:
                    continue
                self._number += 1
                question = {"id": self._number, "src": NAME, "method": "Shelly.GetStatus"}
                try:
                    await self._broker.publish(f"{prefix}/rpc", json.dumps(question))
                except OSError as error:
                    log.debug("%s cannot be asked: %s", prefix, error)
