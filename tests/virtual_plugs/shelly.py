"""Virtual Shellys on loopback that speak their real protocols and check what they are asked.

Time passes when a test says so (`shelly_time.play`); between two ticks they say what a real one would.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes.clock import ManualClock
from tests.virtual_plugs.shelly_circuits import Components

TIMEOUT_S = 10.0
NONCE = 1_625_038_762


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Server:
    """A web server on a free port of loopback; `is_away` makes it break off each connection as if out of reach."""

    def __init__(self) -> None:
        self.is_away = False
        self.host = ""
        self.faults: list[str] = []
        """What was asked that no real device would be asked."""
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        raise AssertionError

    async def __aenter__(self) -> Self:
        """Start to serve."""

        @web.middleware
        async def reachable(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
            if self.is_away:
                assert request.transport is not None
                request.transport.close()
                raise web.HTTPServiceUnavailable
            response: web.StreamResponse = await handler(request)
            return response

        app = web.Application(middlewares=[reachable])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.host = f"127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        assert self._runner is not None
        await self._runner.cleanup()


class Gen2(Server):
    """A Shelly of generation 2 or newer, with a password or without."""

    def __init__(
        self,
        clock: ManualClock,
        components: Components,
        device_id: str = "shellyplugsg3-e4b063d8a1b4",
        password: str | None = None,
    ) -> None:
        super().__init__()
        self.device_id = device_id
        self.components = components
        self.password = password
        self.connections: set[web.WebSocketResponse] = set()
        self.requests: list[str] = []
        self.gone = asyncio.Event()
        self._clock = clock
        self._started_ms = clock.time_ms
        self._listeners: dict[web.WebSocketResponse, str] = {}
        self._pong = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        return [
            web.get("/shelly", self._identity),
            web.get("/rpc", self._socket),
            web.get("/rpc/Shelly.GetStatus", self._status_by_http),
        ]

    def info(self) -> dict[str, Any]:
        """Return `Shelly.GetDeviceInfo`."""
        mac = self.device_id.rpartition("-")[2].upper()
        lock = {"auth_en": self.password is not None, "auth_domain": self.device_id if self.password else None}
        return {"name": "Kettle", "id": self.device_id, "mac": mac, "model": "S3PL-00112EU", "gen": 3, **lock}

    def status(self) -> dict[str, Any]:
        """Return `Shelly.GetStatus`."""
        now_ms = self._clock.time_ms
        system = {"mac": "E4B063D8A1B4", "unixtime": now_ms // 1000, "uptime": (now_ms - self._started_ms) // 1000}
        return {"ble": {}, "cloud": {"connected": False}, **self.components.status(), "sys": system, "ws": {}}

    def tick(self, time_ms: int) -> None:
        """Live on until then."""
        self.components.tick(time_ms)

    async def speak(self) -> None:
        """Tell who listens what has changed, and wait until they have taken it in."""
        changes = self.components.changes()
        if changes:
            await self.notify("NotifyStatus", {"ts": self._clock.time_ms / 1000, **changes})

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification to who listens, and wait until they have taken it in."""
        for socket, peer in list(self._listeners.items()):
            frame = {"src": self.device_id, "dst": peer, "method": method, "params": params}
            await self.send(socket, json.dumps(frame))

    async def send(self, socket: web.WebSocketResponse, text: str) -> None:
        """Send a frame; the answer to the ping behind it shows that it was taken in."""
        self._pong.clear()
        await socket.send_str(text)
        await socket.ping()
        async with asyncio.timeout(TIMEOUT_S):
            await self._pong.wait()

    async def drop(self) -> None:
        """Break off all connections."""
        for socket in list(self.connections):
            await socket.close()
        async with asyncio.timeout(TIMEOUT_S):
            while self.connections:
                self.gone.clear()
                await self.gone.wait()

    async def restart(self, *, loses_totals: bool = False) -> None:
        """Restart, as after a power cut."""
        self.components.restart(loses_totals=loses_totals)
        self._started_ms = self._clock.time_ms
        await self.drop()

    async def _identity(self, _request: web.Request) -> web.Response:
        return web.json_response(self.info())

    async def _status_by_http(self, _request: web.Request) -> web.Response:
        return web.json_response(self.status()) if self.password is None else web.Response(status=401)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.connections.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self._pong.set()
                else:
                    await socket.send_json(self._answer(socket, message.data))
        finally:
            self.connections.discard(socket)
            self._listeners.pop(socket, None)
            self._pong.set()
            self.gone.set()
        return socket

    def _answer(self, socket: web.WebSocketResponse, text: str) -> dict[str, Any]:
        frame = json.loads(text)
        if not {"id", "src", "method"} <= frame.keys():
            self.faults.append(f"no request: {text}")
        self.requests.append(frame["method"])
        answer = {"id": frame["id"], "src": self.device_id, "dst": frame["src"]}
        if frame["method"] == "Shelly.GetDeviceInfo":
            return {**answer, "result": self.info()}
        if self.password is not None and not self._lets_in(frame.get("auth")):
            message = {"auth_type": "digest", "nonce": NONCE, "nc": 1, "realm": self.device_id, "algorithm": "SHA-256"}
            return {**answer, "error": {"code": 401, "message": json.dumps(message)}}
        self._listeners[socket] = frame["src"]
        if frame["method"] == "Shelly.GetStatus":
            return {**answer, "result": self.status()}
        self.faults.append(f"no such method: {text}")
        return {**answer, "error": {"code": 404, "message": f"No handler for {frame['method']}"}}

    def _lets_in(self, auth: dict[str, Any] | None) -> bool:
        """Check a digest as the vendor describes it."""
        if auth is None:
            return False
        known = sha256(f"admin:{self.device_id}:{self.password}")
        place = sha256("dummy_method:dummy_uri")
        expected = sha256(f"{known}:{NONCE}:1:{auth['cnonce']}:auth:{place}")
        named = (auth["username"], auth["realm"], auth["nonce"], auth["algorithm"])
        return named == ("admin", self.device_id, NONCE, "SHA-256") and auth["response"] == expected


class Gen1(Server):
    """A Shelly Plug S or 3EM of generation 1: plain HTTP, with basic authentication if it has a password.

    `loads_w` are functions of time (UTC ms); one makes a plug, three a 3EM. A plug's total, in whole watt-minutes, is
    lost at each restart.
    """

    def __init__(self, clock: ManualClock, *loads_w: Callable[[int], float], password: str | None = None) -> None:
        super().__init__()
        self.password = password
        self.is_valid = True
        self.energies_wh = [0.0 for _ in loads_w]
        self.returned_wh = [0.0 for _ in loads_w]
        self._loads = loads_w
        self._powers_w = [0.0 for _ in loads_w]
        self._clock = clock
        self._started_ms = clock.time_ms
        self._time_ms: int | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        pages = {"/shelly": self.shelly, "/settings": self.settings, "/status": self.status}

        def serving(page: Callable[[], dict[str, Any]]) -> Callable[[web.Request], Any]:
            async def serve(request: web.Request) -> web.Response:
                if page != self.shelly and not self._lets_in(request):
                    return web.Response(status=401, text="401 Unauthorized")
                return web.json_response(page())

            return serve

        return [web.get(path, serving(page)) for path, page in pages.items()]

    def _lets_in(self, request: web.Request) -> bool:
        expected = base64.b64encode(f"admin:{self.password}".encode()).decode()
        return self.password is None or request.headers.get("Authorization") == f"Basic {expected}"

    def tick(self, time_ms: int) -> None:
        """Count the energy since the last tick."""
        for index, power_w in enumerate(self._powers_w):
            if self._time_ms is not None:
                energy_wh = power_w * (time_ms - self._time_ms) / 3_600_000
                (self.energies_wh if energy_wh > 0 else self.returned_wh)[index] += abs(energy_wh)
        self._time_ms = time_ms
        self._powers_w = [load(time_ms) for load in self._loads]

    async def speak(self) -> None:
        """Say nothing: it speaks when it is asked."""

    def restart(self) -> None:
        """Restart, which loses a plug's total."""
        self._started_ms = self._clock.time_ms
        if len(self._loads) == 1:
            self.energies_wh = [0.0]

    def shelly(self) -> dict[str, Any]:
        """Return `/shelly`."""
        kind = "SHPLG-S" if len(self._loads) == 1 else "SHEM-3"
        return {"type": kind, "mac": "DC4F22A1B2C3", "auth": self.password is not None, "fw": "20230913-113421/v1.14.0"}

    def settings(self) -> dict[str, Any]:
        """Return the part of `/settings` that matters."""
        name = "shellyplug-s-A1B2C3" if len(self._loads) == 1 else "shellyem3-A1B2C3"
        return {"device": {"type": self.shelly()["type"], "mac": "DC4F22A1B2C3", "hostname": name}, "name": "Kettle"}

    def status(self) -> dict[str, Any]:
        """Return `/status`."""
        now_s = self._clock.time_ms // 1000
        common = {"unixtime": now_s, "mac": "DC4F22A1B2C3", "uptime": now_s - self._started_ms // 1000}
        if len(self._loads) == 1:
            total_wmin = int(self.energies_wh[0] * 60)
            meter: dict[str, Any] = {"power": round(self._powers_w[0], 2), "overpower": 0.0, "is_valid": self.is_valid}
            meter |= {"timestamp": now_s + 3600, "counters": [0.0, 0.0, 0.0], "total": total_wmin}
            return {**common, "relays": [{"ison": True}], "meters": [meter]}
        emeters = [
            {
                "power": round(power_w, 2),
                "pf": 1.0,
                "current": round(abs(power_w) / 230, 2),
                "voltage": 230.0,
                "is_valid": self.is_valid,
                "total": round(used_wh, 1),
                "total_returned": round(returned_wh, 1),
            }
            for power_w, used_wh, returned_wh in zip(self._powers_w, self.energies_wh, self.returned_wh, strict=True)
        ]
        return {**common, "emeters": emeters, "total_power": round(sum(self._powers_w), 2)}
