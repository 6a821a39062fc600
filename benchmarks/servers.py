"""Real servers to measure against: started on loopback from a fresh folder, and stopped again, these and no others."""

import http.client
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.outcome import PeerError
from benchmarks.timing import until

START_S = 60.0
STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, what it is, where it keeps its data."""

    port: int
    version: str
    folder: Path
    pid: int


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of loopback that nobody uses just now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(*names: str) -> str:
    """Return the path of the first of these programs that is there. Raises PeerError when none is."""
    places = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for name in names:
        if found := shutil.which(name, path=places):
            return found
    raise PeerError(f"{names[0]} is not installed")


def package_version(package: str) -> str:
    """Return the version of a Debian package; some programs do not know their own."""
    try:
        done = subprocess.run(
            ["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "of unknown version"
    return done.stdout.strip() or "of unknown version"


@contextmanager
def process(
    arguments: Sequence[str], log: Path, ready: Callable[[], bool], *, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the block ends; the block begins when it is `ready`. Raises PeerError when it never is."""
    with log.open("wb") as out:
        running = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        try:
            if not until(lambda: running.poll() is not None or ready(), START_S) or running.poll() is not None:
                last = log.read_text(errors="replace").strip().splitlines()[-3:]
                raise PeerError(f"{arguments[0]} does not start: {' / '.join(last)}")
            yield running
        finally:
            if running.poll() is None:
                running.terminate()
            try:
                running.wait(STOP_S)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def listens(port: int) -> bool:
    """Return whether something accepts connections on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Http:
    """One kept connection to a server on loopback."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self._connection.connect()
        assert self._connection.sock is not None
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str, **parameters: str | int) -> bytes:
        """Return what a GET brings. Raises PeerError for a refusal."""
        return self.request("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, body: bytes, kind: str = "text/plain") -> bytes:
        """Return what a POST brings. Raises PeerError for a refusal."""
        return self.request("POST", path, body, {"content-type": kind})

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """Return what a request brings. Raises PeerError for a refusal."""
        self._connection.request(method, path, body, headers or {})
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise PeerError(f"{method} {path}: {answer.status} {data[:200].decode(errors='replace')}")
        return data

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


@contextmanager
def maria_db(folder: Path) -> Iterator[Server]:
    """Run a MariaDB with its defaults, InnoDB's full durability among them, and an empty database `ecms`."""
    daemon, install = program("mariadbd", "mysqld"), program("mariadb-install-db", "mysql_install_db")
    data, port = folder / "mariadb", free_port()
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    made = subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *as_root],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise PeerError(f"mariadb-install-db: {made.stderr.strip()[-200:]}")
    arguments = [daemon, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
    arguments += [f"--socket={folder / 'mariadb.sock'}", f"--pid-file={folder / 'mariadb.pid'}", *as_root]
    with process(arguments, folder / "mariadb.log", lambda: listens(port)) as running:
        yield Server(port, package_version("mariadb-server"), data, running.pid)


_INFLUX_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  cache-snapshot-write-cold-duration = "2s"
  compact-full-write-cold-duration = "4s"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 0
"""


@contextmanager
def influx_db(folder: Path) -> Iterator[Server]:
    """Run an InfluxDB that compacts soon after the last write, and is else as it comes."""
    daemon, home, port = program("influxd"), folder / "influxdb", free_port()
    home.mkdir()
    config = folder / "influxdb.conf"
    config.write_text(_INFLUX_CONFIG.format(folder=home, port=port, rpc=free_port()))
    with process([daemon, "-config", str(config)], folder / "influxdb.log", lambda: listens(port)) as running:
        yield Server(port, package_version("influxdb"), home, running.pid)


@contextmanager
def victoria_metrics(folder: Path) -> Iterator[Server]:
    """Run a VictoriaMetrics that keeps everything and is else as it comes."""
    daemon, data, port = program("victoria-metrics"), folder / "victoria-metrics", free_port()
    arguments = [daemon, f"-storageDataPath={data}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
    with process(arguments, folder / "victoria-metrics.log", lambda: listens(port)) as running:
        yield Server(port, package_version("victoria-metrics"), data, running.pid)
