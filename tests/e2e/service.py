"""A real service in a process of its own, and the packets that its nodes would send."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
GAP_LIMIT_S = 3

MAINS = "5c:cf:7f:00:00:01"
FRIDGE = "5c:cf:7f:00:00:02"
OVEN = "5c:cf:7f:00:00:03"

CONFIG = f"""
[home]
name = "Via Garibaldi 12"
timezone = "Europe/Rome"

[web]
port = 0

[source.ecms_udp]
host = "127.0.0.1"
port = {{port}}
gap_limit_s = {GAP_LIMIT_S}
announce = false
"""

METERS = f"""
[meter.mains]
name = "Mains"
appliance = "mains"
source = "ecms_udp"
address = "{MAINS}"

[meter.fridge]
name = "Kitchen fridge"
appliance = "fridge"
source = "ecms_udp"
address = "{FRIDGE}"
parent = "mains"

[meter.oven]
name = "Oven"
appliance = "oven"
source = "ecms_udp"
address = "{OVEN}"
parent = "mains"
"""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: the address of its page, and the UDP port where it takes packets (0: unknown).

    `log` reads on what the service says into `said`, a line each, so that it never waits for a reader.
    """

    url: str
    udp_port: int
    process: subprocess.Popen[str]
    log: threading.Thread
    said: list[str]
    stamps_s: dict[str, int] = field(default_factory=dict)

    def send_v1(self, address: str, current_a: float, *, appliance: int = 2) -> None:
        """Send a version 1 packet, stamped now or, as its clock counts whole seconds, one after the packet before."""
        stamp_s = max(int(time.time()), self.stamps_s.get(address, 0) + 1)
        self.stamps_s[address] = stamp_s
        mac = bytes.fromhex(address.replace(":", ""))
        packet = mac + struct.pack(">IBB", stamp_s, appliance, round(current_a * 50))
        self.send(packet)

    def send(self, payload: bytes) -> None:
        """Send a datagram to the service."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(payload, ("127.0.0.1", self.udp_port))


def free_udp_port() -> int:
    """Return a UDP port that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def start(folder: Path, *options: str, udp_port: int = 0, module: str = "casawatt") -> Service:
    """Start `casawatt` with the options; return it when it says where it listens, for packets too if it is to.

    `module` is what is run in its place.
    """
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        "XDG_CONFIG_HOME": str(folder / "no-config"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        page = re.search(r"^listening on (http\S+)", said, re.MULTILINE)
        if page and (not udp_port or "listening for UDP" in said):
            lines = said.splitlines(keepends=True)
            log = threading.Thread(target=lines.extend, args=(process.stdout,), daemon=True)
            log.start()
            return Service(page[1], udp_port, process, log, lines)
    process.stdout.close()
    process.wait()
    raise AssertionError(said)


def stop(service: Service) -> None:
    """End the service as a person would, and see that it ends."""
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(timeout=30)
    close_log(service)


def close_log(service: Service) -> None:
    """Read to the end what an ended service said."""
    service.log.join()
    assert service.process.stdout is not None
    service.process.stdout.close()
