"""The real service as a process of its own: `casawatt serve` with a config made for a benchmark."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.homes import SOURCE, ZONE
from benchmarks.servers import free_port, process
from casawatt.config import parse
from casawatt.registry import Adoption, Registry
from casawatt.sources.ecms_udp import Config as EcmsConfig
from casawatt.store.store import Store

_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
_HZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its process, the ports of its page and of its UDP source."""

    pid: int
    port: int
    udp_port: int

    def cpu_s(self) -> float:
        """Return how much processor time it has used, in s."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _HZ

    def waited_s(self) -> float:
        """Return how long it was ready to run and had to wait because others had the processor, in s."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[1]) for task in tasks) / 1e9

    def memory_mb(self, what: str = "VmRSS") -> float:
        """Return its resident memory in MB; `VmHWM` is the most it ever was."""
        found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024 / 1e6


def config_text(udp_port: int, *, sync_s: float = 10.0, more: str = "") -> str:
    """Return a config that listens on loopback only and refuses nobody for sending much; `more` are its last lines."""
    return (
        f'[home]\ntimezone = "{ZONE.key}"\n[web]\nport = 0\n[store]\nsync_s = {sync_s}\n'
        f'[source.{SOURCE}]\nhost = "127.0.0.1"\nport = {udp_port}\nannounce = false\nmax_packets_per_s = 1e9\n{more}'
    )


def adopt_all(folder: Path, addresses: Sequence[str]) -> None:
    """Make the meters of a new home, `meter-0` and so on, a device each."""
    config = parse(config_text(0), "benchmark")
    traits = config.source_options(SOURCE, EcmsConfig).traits
    store = Store.open(folder, zone=ZONE)
    try:
        registry = Registry(store.registry, config.home, {SOURCE: traits})
        with registry.changing():  # one commit for all
            for number, address in enumerate(addresses):
                registry.adopt(Adoption(f"meter-{number}", f"Meter {number}", SOURCE, address), now_ms=0)
    finally:
        store.close()


def environment() -> dict[str, str]:
    """Return the environment in which a child finds the same modules as this process."""
    return {**os.environ, "COLUMNS": "200", "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@contextmanager
def running(folder: Path, *, core: int | None = None, sync_s: float = 10.0, more: str = "") -> Iterator[Service]:
    """Run the service on the data in `folder / "home"`, on one core if wished, its config ending with `more`.

    Raises PeerError if it cannot start.
    """
    udp_port, log = free_port(), folder / "service.log"
    config = folder / "config.toml"
    config.write_text(config_text(udp_port, sync_s=sync_s, more=more))
    arguments = [sys.executable, "-m", "casawatt", "serve", "--config", str(config), "--data", str(folder / "home")]
    if core is not None:
        arguments = ["taskset", "-c", str(core), *arguments]

    def port() -> int | None:
        found = _LISTENING.search(log.read_text(errors="replace"))
        return int(found[1]) if found else None

    def ready() -> bool:
        return port() is not None and "listening for UDP" in log.read_text(errors="replace")

    with process(arguments, log, ready, environment=environment()) as started:
        found = port()
        assert found is not None
        yield Service(started.pid, found, udp_port)
