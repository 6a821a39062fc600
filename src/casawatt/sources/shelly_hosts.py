"""Shellys that are asked at their address: one task for each, which tries again for as long as it takes."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import ClientSession

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.sources import shelly_gen1, shelly_rpc
from casawatt.sources.shelly_device import NO_METER, Boots, ShellyDevice
from casawatt.sources.shelly_parse import Document, number
from casawatt.sources.shelly_passwords import Passwords
from casawatt.transports.http import get_json

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
WELL_AFTER_MS = 60_000
"""A connection that lasted so long is tried again with the first pause."""


class Claims:
    """Which devices are being read, so that none is read twice: by two addresses, or by a broker as well."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    @contextmanager
    def hold(self, device_id: str) -> Iterator[None]:
        """Hold a device while entered; raises _HeldError when it is held already."""
        if device_id in self.held:
            raise _HeldError(device_id)
        self.held.add(device_id)
        try:
            yield
        finally:
            self.held.discard(device_id)


class _HeldError(Exception):
    """The device is being read by another way."""


class HostReader:
    """Reads devices at hosts (`192.168.1.20`, `plug.local:8080`) and puts what they say into `inbox`.

    `poll_s` is how often generation 1 is asked, `refresh_s` how often the others are beside what they say unasked.
    """

    def __init__(
        self,
        session: ClientSession,
        inbox: Inbox,
        passwords: Passwords,
        claims: Claims,
        *,
        poll_s: float,
        refresh_s: float,
        wait: Callable[[float], Awaitable[None]],
    ) -> None:
        self._session = session
        self._inbox = inbox
        self._passwords = passwords
        self._claims = claims
        self._poll_s = poll_s
        self._refresh_s = refresh_s
        self._wait = wait
        self._devices: dict[str, ShellyDevice] = {}
        self._boots: dict[str, Boots] = {}
        self._names: dict[str, str] = {}

    async def keep_reading(self, host: str, is_still_there: Callable[[], bool] | None = None) -> None:
        """Read the device at `host`; when that fails, refuse it and try again after a pause that grows.

        Ends when it turns out to measure nothing. One that nobody named, but was found, has `is_still_there`: having
        no meter is then no fault of it, and it is not tried again when it has gone.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            began_ms = self._inbox.clock.now_ms()
            try:
                await self._read(host)
            except _HeldError:
                log.debug("%s: %s is being read already", host, self._names[host])
            except PacketError as error:
                if error.cause == NO_METER and is_still_there is not None:
                    log.info("%s", error)
                else:
                    self._inbox.refuse(self._names.get(host, host), error.cause, str(error))
                if error.cause == NO_METER:
                    return
            except OSError as error:
                self._inbox.refuse(self._names.get(host, host), "connection", str(error) or type(error).__name__)
            if is_still_there is not None and not is_still_there():
                return
            if self._inbox.clock.now_ms() - began_ms > WELL_AFTER_MS:
                pause_s = FIRST_PAUSE_S
            await self._wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _read(self, host: str) -> None:
        shelly = await get_json(self._session, f"http://{host}/shelly")
        if (number(shelly, "gen") or 1) >= 2:
            await self._listen(host, shelly)
        else:
            await self._poll(host, shelly)

    async def _listen(self, host: str, shelly: Document) -> None:
        device_id = shelly.get("id")
        if not isinstance(device_id, str) or not device_id:
            raise PacketError("format", f"{host} answered without its id: {str(shelly)[:80]}")
        self._names[host] = device_id
        with self._claims.hold(device_id):
            device = self._devices.setdefault(device_id, ShellyDevice(device_id))
            password = self._passwords.of(device_id, host)
            await shelly_rpc.listen(
                self._session, host, device, password, self._inbox, refresh_s=self._refresh_s, wait=self._wait
            )

    async def _poll(self, host: str, shelly: Document) -> None:
        mac = shelly.get("mac")
        password = self._passwords.of(self._names.get(host), host, mac if isinstance(mac, str) else None)
        login = None if password is None else (shelly_rpc.USER, password)
        settings = await get_json(self._session, f"http://{host}/settings", login)
        device_id = self._names[host] = shelly_gen1.device_id(shelly, settings)
        with self._claims.hold(device_id):
            boots = self._boots.setdefault(device_id, Boots())
            device = shelly_gen1.Gen1Device(device_id, str(shelly.get("type")), boots)
            await shelly_gen1.poll(
                self._session, host, login, device, self._inbox, poll_s=self._poll_s, wait=self._wait
            )
