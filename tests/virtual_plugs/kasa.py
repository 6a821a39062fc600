"""What a plug of TP-Link's counts, and the first Kasa plugs' protocol: XOR over TCP and UDP port 9999."""

import asyncio
import json
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Any, Self, cast
from zoneinfo import ZoneInfo

STEP_MS = 1000
LARGEST_REQUEST = 1 << 16
JSON = dict[str, Any]


class Plug:
    """A plug's meter. `power_w(time_ms)` is what flows while it has mains; time passes in `advance`.

    It counts by the day and month of its own clock, which is `clock_off_ms` ahead, and `since_boot_wh` since it has
    mains.
    """

    def __init__(self, power_w: Callable[[int], float], start_ms: int, zone: str = "Europe/Rome") -> None:
        self.power_w = power_w
        self.zone = ZoneInfo(zone)
        self.time_ms = start_ms
        self.has_mains = True
        self.clock_off_ms = 0
        self.true_wh = self.since_boot_wh = 0.0
        self.by_day_wh: defaultdict[date, float] = defaultdict(float)

    def advance(self, to_ms: int) -> None:
        """Let time pass until `to_ms`; each local second counts to the day that it lies in."""
        while self.time_ms < to_ms:
            end_ms = min(self.time_ms - self.time_ms % STEP_MS + STEP_MS, to_ms)
            if self.has_mains:
                energy_wh = self.power_w(self.time_ms) * (end_ms - self.time_ms) / 3_600_000
                self.true_wh += energy_wh
                self.since_boot_wh += energy_wh
                self.by_day_wh[self.local().date()] += energy_wh
            self.time_ms = end_ms

    def restart(self) -> None:
        """Lose the mains for a moment."""
        self.since_boot_wh = 0.0

    def local(self) -> datetime:
        """Return the time by its own clock."""
        return datetime.fromtimestamp((self.time_ms + self.clock_off_ms) / 1000, self.zone)

    def now_w(self) -> float:
        return self.power_w(self.time_ms) if self.has_mains else 0.0

    def today_wh(self) -> int:
        return int(self.by_day_wh[self.local().date()] + 1e-6)

    def month_wh(self, year: int, month: int) -> int:
        days = [wh for day, wh in self.by_day_wh.items() if (day.year, day.month) == (year, month)]
        return int(sum(days) + 1e-6)


def crypt(data: bytes, *, plain: bool) -> bytes:
    """Return `data` after the protocol's cipher: each byte is mixed with the enciphered one before it, 171 first."""
    key, out = 171, bytearray()
    for byte in data:
        out.append(key ^ byte)
        key = out[-1] if plain else byte
    return bytes(out)


class LegacyPlug:
    """An HS110 (`newer=False`), a KP115 (`newer=True`), or an HS300 with several meters.

    A request of another form than a real one knows gets the error that a real one gives; `wrong` lists what could not
    even be read. Modes: `silent` (takes the connection, says nothing), `cut` (ends it in the middle of the answer),
    `garbage` (an answer that is no JSON).
    """

    def __init__(
        self,
        *meters: Plug,
        newer: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        mac: str = "50:C7:BF:00:00:01",
    ) -> None:
        self.meters = meters
        self.newer = newer
        self.host = host
        self.mac = mac
        self.port = port
        self.mode = "well"
        self.metered = True
        self.asked = 0
        self.wrong: list[str] = []
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        """Return what a config calls it."""
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.switch_on()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.switch_off()

    async def switch_on(self) -> None:
        """Answer, at the port of before if there was one."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def switch_off(self) -> None:
        """Be gone: connections end, nobody listens."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._open):
            writer.close()
        await self._server.wait_closed()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                if length > LARGEST_REQUEST:
                    self.wrong.append(f"a request of {length} bytes")
                    return
                request = crypt(await reader.readexactly(length), plain=False)
                self.asked += 1
                if self.mode == "silent":
                    continue
                answer = crypt(self.answer(request), plain=True)
                framed = struct.pack(">I", len(answer)) + answer
                writer.write(framed[: len(framed) // 2] if self.mode == "cut" else framed)
                await writer.drain()
                if self.mode == "cut":
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def answer(self, request: bytes) -> bytes:
        """Return the answer to a request in plain JSON."""
        if self.mode == "garbage":
            return b'{"emeter": \xff'
        try:
            modules: JSON = json.loads(request)
        except ValueError:
            self.wrong.append(f"no JSON: {request!r}")
            return b""
        context = modules.pop("context", {})
        return json.dumps({name: self._module(name, said, context) for name, said in modules.items()}).encode()

    def _module(self, name: str, commands: JSON, context: JSON) -> JSON:
        known = {"system": {"get_sysinfo": self._sysinfo}}
        if self.metered:
            known["emeter"] = {"get_realtime": lambda: self._realtime(context)}
        if name not in known:
            return {"err_code": -1, "err_msg": "module not support"}
        missing = {"err_code": -2, "err_msg": "member not support"}
        return {command: known[name].get(command, lambda: missing)() for command in commands}

    def _sysinfo(self) -> JSON:
        said: JSON = {
            "sw_ver": "1.2.5 Build 171213 Rel.101523",
            "model": "HS300(US)" if len(self.meters) > 1 else "KP115(EU)" if self.newer else "HS110(EU)",
            "type": "IOT.SMARTPLUGSWITCH",
            "mac": self.mac,
            "deviceId": "0" * 40,
            "alias": "Kitchen",
            "feature": "TIM:ENE" if self.metered else "TIM",
            "on_time": 1,
            "relay_state": 1,
            "err_code": 0,
        }
        if len(self.meters) > 1:
            ids = [f"8006{'0' * 34}{number:02}" for number in range(len(self.meters))]
            said["children"] = [{"id": each, "state": 1, "alias": f"Socket {at}"} for at, each in enumerate(ids, 1)]
            said["child_num"] = len(ids)
        return said

    def _realtime(self, context: JSON) -> JSON:
        if len(self.meters) > 1:
            ids = [child["id"] for child in self._sysinfo()["children"]]
            (child,) = context["child_ids"]
            plug = self.meters[ids.index(child)]
        else:
            plug = self.meters[0]
        power_w, total_wh = plug.now_w(), plug.since_boot_wh
        if self.newer:
            return {
                "current_ma": round(power_w / 0.230),
                "voltage_mv": 230_577,
                "power_mw": round(power_w * 1000),
                "total_wh": int(total_wh + 1e-6),
                "err_code": 0,
            }
        total_kwh = int(total_wh + 1e-6) / 1000
        return {"current": power_w / 230, "voltage": 231.07, "power": power_w, "total": total_kwh, "err_code": 0}


class Beacon(asyncio.DatagramProtocol):
    """Answers each datagram that `answer` has an answer for."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def beacon(host: str, port: int, answer: Callable[[bytes], bytes | None]) -> AsyncIterator[None]:
    """Answer datagrams at a UDP port while entered."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Beacon(answer), local_addr=(host, port))
    try:
        yield
    finally:
        transport.close()


def legacy_beacon(plug: LegacyPlug) -> AbstractAsyncContextManager[None]:
    """Answer searches for `plug` at its host, UDP port 9999, as it does by TCP but without a length before it."""
    return beacon(plug.host, 9999, lambda data: crypt(plug.answer(crypt(data, plain=False)), plain=True))


def utc_ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Return UTC ms of a UTC time."""
    return round(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)
