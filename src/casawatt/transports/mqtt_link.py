"""One connection to an MQTT broker, from its opening until it is lost; `transports/mqtt.py` makes the next one.

It runs on the event loop: the socket is watched, and everything that has come is read in one go.
"""

import asyncio
import logging
import socket
import ssl
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from casawatt.model.broker import BrokerOptions
from casawatt.transports.mqtt_failures import refusal, why_not_connected, why_unanswered
from casawatt.transports.mqtt_socket import close_unwanted, open_socket

log = logging.getLogger(__name__)

ANSWER_S = 10.0
"""The longest wait for a broker to answer who takes a connection."""

MISC_S = 1.0
"""How often it is looked whether the broker is still there, by the keepalive interval."""

MESSAGES_A_TURN = 256
"""Most messages read before the rest of the event loop gets its turn."""

UNACKNOWLEDGED_MAX = 2000
"""So many messages the broker may send ahead of their acknowledgement, by MQTT 5. Its own default is 20, which is
what MQTT 3.1.1 has to do with."""

IDENTIFIER_MAX = 268_435_455


class Arrived(NamedTuple):
    """A message from the broker.

    `mid` is what it is acknowledged by, 0 where nothing is to be acknowledged. `identifiers` say which subscriptions
    the broker sent it for; empty where it does not say.
    """

    topic: str
    payload: bytes
    retained: bool
    mid: int
    identifiers: tuple[int, ...]


def identifier_of(topic: str) -> int:
    """Return the number of the subscription to a topic filter: the same after every start, as the session outlives us.

    It tells which subscription a message came by: brokers send one copy for each that matches.
    """
    return zlib.crc32(topic.encode()) % IDENTIFIER_MAX + 1


def properties(packet: int, **values: int) -> Properties:
    """Return the properties of an MQTT 5 packet."""
    made = Properties(packet)  # type: ignore[no-untyped-call] # the library's
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Client(paho.Client):
    """The library's client on a socket that was opened outside: it has no other way to be given one."""

    def __init__(self, opened: socket.socket, **options: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(CallbackAPIVersion.VERSION2, reconnect_on_failure=False, manual_ack=True, **options)
        self._opened = opened

    def _create_socket(self) -> socket.socket:
        return self._opened


class Link:
    """A connection. `open` it once; whatever ends it comes out of `lost`; `close` it in any case."""

    def __init__(
        self, options: BrokerOptions, client_id: str, password: str | None, take: Callable[[Arrived], None]
    ) -> None:
        self._options = options
        self._client_id = client_id
        self._password = password
        self._take = take
        self._where = f"{options.host}:{options.tcp_port}"
        self._five = options.protocol == "5"
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[ReasonCode]] = {}
        self._client: Client | None = None
        self._count = 0
        self._numbered = self._five
        self._complaint = ""

    async def open(self) -> None:
        """Connect and introduce ourselves; raises ConnectionError that says what is wrong."""
        opening = asyncio.ensure_future(asyncio.to_thread(open_socket, self._options))
        try:
            opened = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(close_unwanted)
            raise
        except (OSError, ValueError) as error:
            raise ConnectionError(f"{self._where}: {why_not_connected(error, self._options)}") from error
        keeps = self._options.session_expiry_s > 0
        kind: dict[str, Any] = {"protocol": paho.MQTTv5} if self._five else {"clean_session": not keeps}
        self._client = client = Client(opened, client_id=self._client_id, **kind)
        if self._options.user is not None:
            client.username_pw_set(self._options.user, self._password)
        self._listen_to(client)
        start: dict[str, Any] = {}
        if self._five:
            start["clean_start"] = not keeps
            start["properties"] = properties(
                PacketTypes.CONNECT,
                SessionExpiryInterval=self._options.session_expiry_s,
                ReceiveMaximum=UNACKNOWLEDGED_MAX,
            )
        client.connect(self._options.host, self._options.tcp_port, self._options.keepalive_s, **start)
        self._loop.add_reader(opened.fileno(), self._readable)
        try:
            async with asyncio.timeout(ANSWER_S):
                await asyncio.wait({self._opened, self._lost}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise ConnectionError(
                f"{self._where} took the connection but says nothing: is it an MQTT broker?"
            ) from None
        if self._lost.done():
            self._lost.result()
        client.on_log = None

    def _listen_to(self, client: Client) -> None:
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = lambda _client, _data, mid, codes, _properties: self._answered(mid, codes[0])
        client.on_publish = lambda _client, _data, mid, code, _properties: self._answered(mid, code)
        client.on_log = self._on_log
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_want_no_write
        client.on_socket_close = self._on_close

    async def lost(self) -> None:
        """Watch over the connection until it is lost, and raise ConnectionError that says why."""
        while not self._lost.done():
            if self._client is not None:
                self._client.loop_misc()
            await asyncio.wait({self._lost}, timeout=MISC_S)
        self._lost.result()

    async def subscribe(self, topics: Sequence[str]) -> dict[str, str]:
        """Subscribe at QoS 1; return those that were refused, with the reason. Raises ConnectionError."""
        client = self._connected()
        waiting = []
        for topic in topics:
            options: dict[str, Any] = {"qos": 1}
            if self._five:
                options = {"options": SubscribeOptions(qos=1)}
            if self._numbered:
                options["properties"] = properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=identifier_of(topic))
            _, mid = client.subscribe(topic, **options)
            waiting.append(self._answer_to(mid))
        codes = await asyncio.gather(*waiting)
        return {topic: str(code) for topic, code in zip(topics, codes, strict=True) if code.is_failure}

    async def publish(self, topic: str, payload: bytes | str, *, qos: int, retain: bool) -> None:
        """Send a message; with QoS 1 return when the broker has it.

        Raises ConnectionError when it cannot be known to have arrived, PermissionError when it was refused.
        """
        info = self._connected().publish(topic, payload, qos, retain)
        if info.rc == paho.MQTT_ERR_NO_CONN or self._lost.done():
            raise ConnectionError(f"{self._where}: the connection is lost")
        if qos > 0:
            code = await self._answer_to(info.mid)
            if code.is_failure:
                raise PermissionError(f"{self._where} refused a message to {topic!r}: {code}")

    def acknowledge(self, mids: Iterable[int]) -> None:
        """Tell the broker that it may forget these messages; nothing when the connection is lost."""
        client = self._client
        if client is not None and not self._lost.done():
            for mid in mids:
                client.ack(mid, 1)

    def close(self) -> None:
        """End the connection, politely where that is possible."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_write()
            client.on_socket_close = client.on_socket_unregister_write = None
            if (opened := client.socket()) is not None:  # it is in no hurry to be told
                self._loop.remove_reader(opened)
                self._loop.remove_writer(opened)
                opened.close()
        self._fail(ConnectionError(f"{self._where}: the connection is closed"))
        self._lost.exception()

    def _connected(self) -> Client:
        if self._client is None or self._lost.done():
            raise ConnectionError(f"{self._where}: the connection is lost")
        return self._client

    def _answer_to(self, mid: int | None) -> asyncio.Future[ReasonCode]:
        answer = self._answers[mid or 0] = self._loop.create_future()
        return answer

    def _answered(self, mid: int, code: ReasonCode) -> None:
        answer = self._answers.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(code)

    def _readable(self) -> None:
        """Read what has come. One wake-up reads many messages: each would cost more than the message itself."""
        client = self._client
        try:
            for _ in range(MESSAGES_A_TURN):
                before = self._count
                if client is None or client.loop_read() != paho.MQTT_ERR_SUCCESS:
                    return
                opened = client.socket()
                pending = isinstance(opened, ssl.SSLSocket) and opened.pending() > 0
                if self._count == before and not pending:
                    return
            if pending:  # decrypted already, so the socket will not be readable for it
                self._loop.call_soon(self._readable)
        except Exception as error:  # noqa: BLE001 - what a broker sends must not stop the event loop
            self._fail(ConnectionError(f"{self._where} sent what cannot be understood: {error}"))

    def _writable(self) -> None:
        if self._client is not None:
            self._client.loop_write()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self._count += 1
        mid = message.mid if message.qos else 0
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.acknowledge([mid] if mid else [])
            return
        identifiers = getattr(message.properties, "SubscriptionIdentifier", ())
        self._take(Arrived(topic, bytes(message.payload), message.retain, mid, tuple(identifiers)))

    def _on_connect(
        self, _client: object, _data: object, _flags: object, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._fail(ConnectionError(f"{self._where} refused the connection: {refusal(code, self._options)}"))
        elif not self._opened.done():
            self._numbered = self._five and getattr(properties, "SubscriptionIdentifierAvailable", 1) == 1
            kept_s = getattr(properties, "SessionExpiryInterval", self._options.session_expiry_s)
            if kept_s < self._options.session_expiry_s:
                log.warning("%s keeps what is sent while casawatt is away for %d s only", self._where, kept_s)
            self._opened.set_result(None)

    def _on_disconnect(
        self, _client: object, _data: object, flags: paho.DisconnectFlags, code: ReasonCode, _properties: object
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            why = refusal(code, self._options)
        elif self._opened.done():
            why = "the connection was lost"
        else:
            why = why_unanswered(self._complaint, self._options)
        self._fail(ConnectionError(f"{self._where}: {why}"))

    def _on_want_write(self, _client: object, _data: object, opened: Any) -> None:  # noqa: ANN401 - a kind of socket
        self._loop.add_writer(opened, self._writable)

    def _on_want_no_write(self, _client: object, _data: object, opened: Any) -> None:  # noqa: ANN401 - a kind of socket
        self._loop.remove_writer(opened)

    def _on_close(self, _client: object, _data: object, opened: Any) -> None:  # noqa: ANN401 - a kind of socket
        self._loop.remove_reader(opened)

    def _on_log(self, _client: object, _data: object, level: int, text: str) -> None:
        if level == paho.MQTT_LOG_ERR:
            self._complaint = text

    def _fail(self, error: ConnectionError) -> None:
        if not self._lost.done():
            self._lost.set_exception(error)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)
        self._answers.clear()
