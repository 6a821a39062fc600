"""A Tapo plug: what it answers, and the two ways in which it wants to be spoken to, KLAP and AES, over HTTP."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Self

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from kasa import Credentials
from kasa.transports.aestransport import AesEncyptionSession
from kasa.transports.klaptransport import KlapEncryptionSession, KlapTransportV2

from tests.virtual_plugs.kasa import JSON, Plug, beacon

USER, PASSWORD = "anna@example.org", "correct horse"
UNKNOWN_METHOD, PARAMS, LOGIN, SESSION = -1002, -1008, -1501, 9999
MONTH_MINUTES = 43_200


class TapoPlug:
    """A P110, or a P304M with several meters.

    `history`, `months`, `live`: whether its firmware has `get_energy_data`, counts months, has `get_emeter_data`.
    Modes: `silent` (HTTP 500 for every request), `garbage` (bytes that nobody can decrypt), `lag` (the month is
    not reset when it ends), `mute_history` (`get_energy_data` fails for a moment). `wrong` lists
    requests that no real one knows.
    """

    def __init__(
        self, *meters: Plug, mac: str = "48-22-54-00-00-01", way: str = "KLAP", host: str = "127.0.0.1"
    ) -> None:
        self.meters = meters
        self.mac = mac
        self.way = way
        self.host = host
        self.port = 0
        self.history = self.months = self.live = self.metered = True
        self.mode = "well"
        self.asked = 0
        self.methods: list[str] = []
        self.wrong: list[str] = []
        self._lagging_wh = 0
        self._sessions: dict[str, Any] = {}
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """Return what a config calls it."""
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.switch_on()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.switch_off()

    async def switch_on(self) -> None:
        """Answer, at the port of before if there was one; who was logged in must do so again."""
        self._sessions.clear()
        app = web.Application()
        if self.way == "KLAP":
            app.router.add_post("/app/handshake1", self._handshake1)
            app.router.add_post("/app/handshake2", self._handshake2)
            app.router.add_post("/app/request", self._klap)
        else:
            app.router.add_post("/app", self._aes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def switch_off(self) -> None:
        """Be gone."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # KLAP
    async def _handshake1(self, request: web.Request) -> web.Response:
        local_seed, remote_seed = await request.read(), secrets.token_bytes(16)
        if len(local_seed) != 16:
            self.wrong.append("handshake1")
            return web.Response(status=400)
        key = KlapTransportV2.generate_auth_hash(Credentials(USER, PASSWORD))
        name = secrets.token_hex(8)
        self._sessions[name] = local_seed, remote_seed, key
        proof = KlapTransportV2.handshake1_seed_auth_hash(local_seed, remote_seed, key)
        answer = web.Response(body=remote_seed + proof)
        answer.headers["Set-Cookie"] = f"TP_SESSIONID={name};TIMEOUT=86400"
        return answer

    async def _handshake2(self, request: web.Request) -> web.Response:
        seeds = self._sessions.get(request.cookies.get("TP_SESSIONID", ""))
        if not isinstance(seeds, tuple) or await request.read() != KlapTransportV2.handshake2_seed_auth_hash(*seeds):
            return web.Response(status=403)
        self._sessions[request.cookies["TP_SESSIONID"]] = KlapEncryptionSession(*seeds)
        return web.Response()

    async def _klap(self, request: web.Request) -> web.Response:
        session = self._sessions.get(request.cookies.get("TP_SESSIONID", ""))
        if not isinstance(session, KlapEncryptionSession):
            return web.Response(status=403)
        body, number = await request.read(), int(request.query["seq"])
        signed = hashlib.sha256(session._sig + number.to_bytes(4, "big", signed=True) + body[32:]).digest()
        if signed != body[:32]:
            self.wrong.append("signature")
            return web.Response(status=403)
        if self.mode == "silent":
            return web.Response(status=500)
        if self.mode == "garbage":
            return web.Response(body=secrets.token_bytes(70))
        session._seq = number
        session._generate_cipher()
        answer = self.answer(json.loads(session.decrypt(body)))
        session._seq = number - 1
        return web.Response(body=session.encrypt(json.dumps(answer))[0])

    # AES
    async def _aes(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        if asked["method"] == "handshake":
            key, name = secrets.token_bytes(32), secrets.token_hex(8)
            public = load_pem_public_key(asked["params"]["key"].encode())
            sealed = public.encrypt(key, padding.PKCS1v15())  # type: ignore[union-attr] # an RSA key
            self._sessions[name] = AesEncyptionSession(key[:16], key[16:])
            answer = web.json_response({"error_code": 0, "result": {"key": base64.b64encode(sealed).decode()}})
            answer.headers["Set-Cookie"] = f"TP_SESSIONID={name};TIMEOUT=1440"
            return answer
        session = self._sessions.get(request.cookies.get("TP_SESSIONID", ""))
        if asked["method"] != "securePassthrough" or session is None:
            return web.json_response({"error_code": SESSION})
        inner = json.loads(session.decrypt(asked["params"]["request"]))
        if inner["method"] == "login_device":
            result = self._login(inner["params"])
        elif request.query.get("token") == self.mac:
            result = self.answer(inner)
        else:
            result = {"error_code": LOGIN}
        sealed_answer = session.encrypt(json.dumps(result).encode()).decode()
        return web.json_response({"error_code": 0, "result": {"response": sealed_answer}})

    def _login(self, params: JSON) -> JSON:
        wanted = {
            name: base64.b64encode(hashlib.sha1(text.encode()).hexdigest().encode()).decode()  # noqa: S324 - as they do
            for name, text in (("username", USER), ("password2", PASSWORD))
        }
        if params != wanted:
            return {"error_code": LOGIN}
        return {"error_code": 0, "result": {"token": self.mac}}

    # what it says
    def answer(self, request: JSON) -> JSON:
        """Return the answer to one request, or to many in one."""
        self.asked += 1
        return self._method(request, None)

    def _method(self, request: JSON, socket: int | None) -> JSON:
        method, params = request["method"], request.get("params") or {}
        if method == "multipleRequest":
            answers = [{"method": each["method"], **self._method(each, socket)} for each in params["requests"]]
            return {"error_code": 0, "result": {"responses": answers}}
        self.methods.append(method)
        if method == "control_child":
            socket = int(params["device_id"][-2:])
            return {"error_code": 0, "result": {"responseData": self._method(params["requestData"], socket)}}
        known: dict[str, Callable[[Plug, JSON], JSON | int]] = {"get_device_info": lambda _p, _j: self._info()}
        if len(self.meters) > 1 and socket is None:
            known["get_child_device_list"] = self._children
        elif self.metered:
            known |= {"get_energy_usage": self._usage}
            known |= {"get_energy_data": self._months} if self.history else {}
            known |= {"get_emeter_data": self._live} if self.live else {}
        result = known.get(method, self._unknown)(self.meters[socket or 0], params)
        return {"error_code": result} if isinstance(result, int) else {"error_code": 0, "result": result}

    def _unknown(self, _plug: Plug, _params: JSON) -> int:
        return UNKNOWN_METHOD

    def _info(self) -> JSON:
        return {
            "device_id": "8022" + "0" * 36,
            "type": "SMART.TAPOPLUG",
            "model": "P304M" if len(self.meters) > 1 else "P110",
            "mac": self.mac,
            "nickname": base64.b64encode(b"Kitchen").decode(),
            "region": self.meters[0].zone.key,
            "time_diff": 60,
            "device_on": True,
        }

    def _children(self, _plug: Plug, _params: JSON) -> JSON:
        children = [{"device_id": f"{'0' * 38}{at:02}", "position": at + 1} for at in range(len(self.meters))]
        return {"child_device_list": children, "start_index": 0, "sum": len(children)}

    def _usage(self, plug: Plug, _params: JSON) -> JSON:
        local = plug.local()
        said: JSON = {
            "today_runtime": 0,
            "month_runtime": 0,
            "today_energy": plug.today_wh(),
            "month_energy": plug.month_wh(local.year, local.month),
            "local_time": local.strftime("%Y-%m-%d %H:%M:%S"),
            "electricity_charge": [0, 0, 0],
            "current_power": round(plug.now_w() * 1000),
        }
        if self.mode == "lag":
            said["month_energy"] = max(said["month_energy"], self._lagging_wh)
        self._lagging_wh = said["month_energy"]
        if not self.months:
            del said["month_energy"]
        return said

    def _live(self, plug: Plug, _params: JSON) -> JSON:
        power_w = plug.now_w()
        return {
            "current_ma": round(power_w / 0.23),
            "voltage_mv": 230_100,
            "power_mw": round(power_w * 1000),
            "energy_wh": plug.today_wh(),
        }

    def _months(self, plug: Plug, params: JSON) -> JSON | int:
        if self.mode == "mute_history":
            return -1301
        begin = datetime.fromtimestamp(params["start_timestamp"], plug.zone)
        if params["interval"] != MONTH_MINUTES or (begin.month, begin.day, begin.hour, begin.minute) != (1, 1, 0, 0):
            self.wrong.append(f"get_energy_data {params}")
            return PARAMS
        data = [plug.month_wh(begin.year, month) for month in range(1, 13)]
        return {"local_time": plug.local().strftime("%Y-%m-%d %H:%M:%S"), "data": data, **params}

    def found(self, _query: bytes) -> bytes:
        """Return the answer to a search by UDP, port 20002: 16 bytes, then JSON."""
        scheme = {"is_support_https": False, "encrypt_type": self.way, "http_port": self.port, "lv": 2}
        result = {
            "device_id": "0" * 32,
            "device_type": "SMART.TAPOPLUG",
            "device_model": "P110(EU)",
            "ip": self.host,
            "mac": self.mac,
            "mgt_encrypt_schm": scheme,
            "owner": "0" * 32,
            "factory_default": False,
            "is_support_iot_cloud": True,
            "obd_src": "tplink",
        }
        return bytes(16) + json.dumps({"result": result, "error_code": 0}).encode()


def tapo_beacon(plug: TapoPlug) -> AbstractAsyncContextManager[None]:
    """Answer searches for `plug` at its host, UDP port 20002."""
    return beacon(plug.host, 20_002, plug.found)
