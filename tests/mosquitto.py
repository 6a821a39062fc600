"""A real Mosquitto on the loopback, and clients as devices have them."""

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

TIMEOUT_S = 10.0
STOP_S = 60.0
"""The longest wait for a broker to save what it holds: a disk that others use may be slow."""
HOST = "127.0.0.1"
PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") or "mosquitto"
PASSWORDS = shutil.which("mosquitto_passwd") or "mosquitto_passwd"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass
class Mosquitto:
    """A broker in a folder of its own, always at the same port; see `mosquitto` for what it can have."""

    folder: Path
    config: str
    port: int = field(default_factory=free_port)
    ca_file: Path | None = None
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)
    _log: threading.Thread | None = None
    _more: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> None:
        """Start it and return when it takes connections."""
        file = self.folder / "mosquitto.conf"
        file.write_text(
            f"listener {self.port} {HOST}\nuser root\nlog_dest stderr\nlog_type all\n{self.config}", encoding="utf-8"
        )
        self.process = process = subprocess.Popen([PROGRAM, "-c", str(file)], stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line)
            if line.endswith("running\n"):
                self._log = threading.Thread(target=self._read_on, args=(process.stderr,), daemon=True)
                self._log.start()
                return
        self._wait()
        raise AssertionError("".join(self.said))

    def _read_on(self, log: Iterable[str]) -> None:
        for line in log:
            with self._more:
                self.said.append(line)
                self._more.notify_all()

    async def until_said(self, text: str, count: int = 1) -> None:
        """Wait until the text stands in so many lines of the log, of all starts together."""

        def is_said() -> bool:
            return sum(text in line for line in self.said) >= count

        def wait() -> None:
            with self._more:
                assert self._more.wait_for(is_said, TIMEOUT_S), "".join([text, " is not in:\n", *self.said])

        await asyncio.to_thread(wait)

    def stop(self) -> None:
        """End it as a system does that shuts down: it saves what it holds, where it has persistence."""
        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=1)
            self.process.terminate()  # it forgets the first when it had said that it runs and did not yet
            self._wait()

    def kill(self) -> None:
        """End it without a warning."""
        if self.process is not None:
            self.process.kill()
            self._wait()

    def _wait(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        self.process.wait(timeout=STOP_S)
        if self._log is not None:
            self._log.join()
        self.process.stderr.close()
        self.process = None

    def section(self, name: str = "home", **options: str | int | bool) -> str:
        """Return a `[broker.<name>]` of a config that leads here."""
        given: dict[str, Any] = {"host": HOST, "port": self.port}
        if self.ca_file is not None:
            given |= {"tls": True, "ca_file": str(self.ca_file)}
        lines = [
            f"{option} = {str(value).lower() if isinstance(value, bool | int) else repr(value)}"
            for option, value in (given | options).items()
        ]
        return "\n".join([f"[broker.{name}]", *lines, ""])


@contextmanager
def mosquitto(
    folder: Path,
    more: str = "",
    *,
    users: dict[str, str] | None = None,
    tls: bool = False,
    client_certificates: bool = False,
    persistent: bool = True,
    names: tuple[str, ...] = (HOST, "localhost"),
) -> Iterator[Mosquitto]:
    """Run a broker while entered, configured further by the lines `more`.

    `users` by their password; without any, everybody is let in. `tls`: it shows a certificate for `names` of an
    authority of its own, in `ca_file`; with `client_certificates` it wants one of the same authority, and
    `client.pem` in the folder is one. `persistent`: what it holds survives `stop`, in the folder.
    """
    lines = [f"persistence {str(persistent).lower()}", f"persistence_location {folder}/", more]
    if users:
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        for user, password in users.items():
            subprocess.run([PASSWORDS, "-b", str(passwords), user, password], check=True, capture_output=True)
        lines += ["allow_anonymous false", f"password_file {passwords}"]
    else:
        lines += ["allow_anonymous true"]
    ca_file = None
    if tls:
        ca_file = folder / "ca.pem"
        lines += _certificates(folder, ca_file, names, client_certificates=client_certificates)
    broker = Mosquitto(folder, "\n".join(lines) + "\n", ca_file=ca_file)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def _certificates(folder: Path, ca_file: Path, names: tuple[str, ...], *, client_certificates: bool) -> list[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    authority.issue_cert("casawatt").private_key_and_cert_chain_pem.write_to_path(folder / "client.pem")
    return [
        f"cafile {ca_file}",
        f"certfile {folder / 'server.pem'}",
        f"keyfile {folder / 'server.pem'}",
        f"require_certificate {str(client_certificates).lower()}",
    ]


class Peer:
    """A device, or whoever listens: a plain client that the test speaks through."""

    def __init__(self, client: paho.Client) -> None:
        self.got: list[paho.MQTTMessage] = []
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        client.on_message = self._hear

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._take, message)

    def _take(self, message: paho.MQTTMessage) -> None:
        self.got.append(message)
        self._changed.set()

    async def publish(self, topic: str, payload: str | bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message; with QoS 1 return when the broker has it."""
        info = self._client.publish(topic, payload, qos, retain)
        await asyncio.to_thread(info.wait_for_publish, TIMEOUT_S)
        assert info.is_published()

    def send(self, topic: str, payload: str) -> None:
        """Send a message of QoS 1 as a device does: it is kept, and sent again, until a broker has it."""
        self._client.publish(topic, payload, 1)

    async def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe, and return when it holds."""
        done = asyncio.Event()

        def subscribed(*_: object) -> None:
            self._loop.call_soon_threadsafe(done.set)

        self._client.on_subscribe = subscribed
        self._client.subscribe(topic, qos)
        async with asyncio.timeout(TIMEOUT_S):
            await done.wait()

    async def until(self, count: int) -> list[paho.MQTTMessage]:
        """Wait until so many messages have come; return all."""
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.got) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.got


@asynccontextmanager
async def peer(
    broker: Mosquitto, *, user: str | None = None, password: str | None = None, client_id: str = "", will: str = ""
) -> AsyncIterator[Peer]:
    """Connect a client while entered; as its last `will` the broker says `Offline` on that topic, retained."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
    client.reconnect_delay_set(1, 1)
    if user is not None:
        client.username_pw_set(user, password)
    if broker.ca_file is not None:
        client.tls_set(str(broker.ca_file), str(broker.folder / "client.pem"))
    if will:
        client.will_set(will, "Offline", 1, retain=True)
    loop = asyncio.get_running_loop()
    connected = asyncio.Event()

    def on_connect(_client: object, _data: object, _flags: object, code: ReasonCode, _properties: object) -> None:
        if not code.is_failure:
            loop.call_soon_threadsafe(connected.set)

    client.on_connect = on_connect
    await asyncio.to_thread(client.connect, HOST, broker.port, clean_start=True)
    client.loop_start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await connected.wait()
        yield Peer(client)
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
