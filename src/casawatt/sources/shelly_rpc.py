"""Shellys of generation 2 and newer over their WebSocket: requests and answers, and what they say unasked."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, ClientWSTimeout, WSMsgType

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.sources.shelly_device import NO_METER, ShellyDevice, Taken
from casawatt.sources.shelly_parse import Document
from casawatt.transports.http import ANSWER_BYTES_MAX, ANSWER_TIMEOUT_S, UNAUTHORIZED, json_object

USER = "admin"
"""The only user that a Shelly has."""
HEARTBEAT_S = 20.0
"""So often the connection is tried out, so that one to a device without power is noticed."""

STATUS_METHODS = {"NotifyStatus": ShellyDevice.change, "NotifyFullStatus": ShellyDevice.full}


def login_for(challenge: object, password: str, client_nonce: str) -> dict[str, object]:
    """Return the `auth` of a request that answers the device's challenge, the message of its error 401.

    By the vendor's digest (SHA-256, after RFC 7616), with a fixed method and address. Raises PacketError (cause
    `format`) for a challenge that cannot be understood.
    """
    asked = json_object(str(challenge), "the device's challenge")
    realm, nonce = asked.get("realm"), asked.get("nonce")
    if realm is None or nonce is None or asked.get("algorithm") != "SHA-256":
        raise PacketError("format", f"a challenge that is not known: {challenge!r}")
    known = _sha256(f"{USER}:{realm}:{password}")
    place = _sha256("dummy_method:dummy_uri")
    response = _sha256(f"{known}:{nonce}:{asked.get('nc', 1)}:{client_nonce}:auth:{place}")
    return {
        "realm": realm,
        "username": USER,
        "nonce": nonce,
        "cnonce": client_nonce,
        "response": response,
        "algorithm": "SHA-256",
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Requests:
    """Requests over one WebSocket. Answers are handed in by whoever reads it: `answered`."""

    def __init__(self, socket: ClientWebSocketResponse, password: str | None) -> None:
        self._socket = socket
        self._password = password
        self._login: dict[str, object] | None = None
        self._name = f"casawatt-{secrets.token_hex(4)}"
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Document]] = {}

    async def call(self, method: str) -> Document:
        """Return the result of a method.

        Raises PacketError with the cause `password` when the device does not let us in, `answer` when it refuses
        otherwise; ConnectionError when it does not answer.
        """
        for _ in range(2):
            answer = await self._ask(method)
            error = answer.get("error")
            if not isinstance(error, dict):
                result = answer.get("result")
                if isinstance(result, dict):
                    return result
                raise PacketError("format", f"{method} was answered without a result: {str(answer)[:80]}")
            if error.get("code") != UNAUTHORIZED:
                raise PacketError("answer", f"{method} was refused: {error.get('message')} ({error.get('code')})")
            if self._password is None:
                raise PacketError("password", f"{method} wants a password")
            self._login = login_for(error.get("message"), self._password, secrets.token_hex(8))
        raise PacketError("password", f"{method} wants another password")

    def answered(self, frame: Document) -> None:
        """Hand in a frame that is an answer; one that nobody waits for any more is dropped."""
        number = frame.get("id")
        waiting = self._waiting.pop(number, None) if isinstance(number, int) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    async def _ask(self, method: str) -> Document:
        self._number += 1
        number = self._number
        frame: dict[str, object] = {"id": number, "src": self._name, "method": method}
        if self._login is not None:
            frame["auth"] = self._login
        answer: asyncio.Future[Document] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._socket.send_str(json.dumps(frame))
                return await answer
        except TimeoutError as error:
            raise ConnectionError(f"{method} was not answered within {ANSWER_TIMEOUT_S:g} s") from error
        finally:
            self._waiting.pop(number, None)


def take(device: ShellyDevice, frame: Document, inbox: Inbox) -> None:
    """Put the readings of a notification into `inbox`; raises PacketError for one that is none."""
    method, params = frame.get("method"), frame.get("params")
    if isinstance(method, str) and method in STATUS_METHODS:
        if not isinstance(params, dict):
            raise PacketError("format", f"{method} without params: {str(frame)[:80]}")
        put(device, STATUS_METHODS[method](device, params, inbox.clock.now_ms()), inbox)


def put(device: ShellyDevice, taken: Taken, inbox: Inbox) -> None:
    """Put readings into `inbox`, and refuse what could not be understood."""
    for fault in taken.faults:
        inbox.refuse(device.device_id, fault.cause, str(fault))
    for reading in taken.readings:
        inbox.put(reading)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error in a group: the one that made the others stop."""
    first = group.exceptions[0]
    return first_of(first) if isinstance(first, BaseExceptionGroup) else first


async def listen(
    session: ClientSession,
    host: str,
    device: ShellyDevice,
    password: str | None,
    inbox: Inbox,
    *,
    refresh_s: float,
    wait: Callable[[float], Awaitable[None]],
) -> None:
    """Put all that a device says into `inbox`, and its whole status every `refresh_s`, until the connection ends.

    Raises ConnectionError when it ends or an answer fails to come, PacketError when the device refuses to answer or
    measures nothing.
    """
    try:
        async with session.ws_connect(
            f"ws://{host}/rpc",
            timeout=ClientWSTimeout(ws_close=1.0),
            heartbeat=HEARTBEAT_S,
            max_msg_size=ANSWER_BYTES_MAX,
        ) as socket:
            requests = Requests(socket, password)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_read(socket, host, device, requests, inbox))
                    while True:
                        _take_status(device, await requests.call("Shelly.GetStatus"), inbox)
                        await wait(refresh_s)
            except BaseExceptionGroup as group:
                raise first_of(group) from None
    except ClientError as error:
        raise ConnectionError(f"ws://{host}/rpc: {str(error) or type(error).__name__}") from error


def _take_status(device: ShellyDevice, status: Document, inbox: Inbox) -> None:
    """Put what a whole status says into `inbox`; raises PacketError for a device that measures nothing."""
    taken = device.full(status, inbox.clock.now_ms())
    put(device, taken, inbox)
    if not device.addresses and not taken.faults:
        raise PacketError(NO_METER, f"{device.device_id} measures nothing: {', '.join(status)}")


async def _read(
    socket: ClientWebSocketResponse, host: str, device: ShellyDevice, requests: Requests, inbox: Inbox
) -> None:
    """Take in frames until the connection ends, which is raised as ConnectionError."""
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            raise ConnectionError(f"{host} sent what is no frame: {message.data}")
        try:
            frame = json_object(message.data, device.device_id)
            if "method" in frame:
                take(device, frame, inbox)
            else:
                requests.answered(frame)
        except PacketError as error:
            inbox.refuse(device.device_id, error.cause, str(error))
    raise ConnectionError(f"{host} closed the connection")
