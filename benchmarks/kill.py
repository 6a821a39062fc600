"""What a `kill -9` of the service loses: readings are sent at a steady rate, and looked for afterwards."""

import os
import random
import signal
import socket
import threading
import time
from pathlib import Path

from benchmarks.homes import ZONE
from benchmarks.outcome import Context, Section, at_most
from benchmarks.peers import mac_of
from benchmarks.sender import datagram
from benchmarks.service import adopt_all, running
from casawatt.store.store import Store

NODES = 200
RATE_PER_S = 400
BACK_S = 100


def run(context: Context) -> Section:
    """Measure."""
    section = Section("kill", "kill -9 of the running service")
    kills = context.sized(8, 1)
    section.notes.append(
        f"{RATE_PER_S} datagrams a second go to the service, which is killed at a random moment, {kills} times. "
        "Each reading that is missing in the store is as old as its datagram was at the kill. The crash test in "
        "`tests/acceptance` does more: hundreds of kills, and every total against a run without any. A power cut "
        "cannot be made here; what `sync_s` promises rests on `fdatasync`."
    )
    lost = [kill_once(context, random.Random(number)) for number in range(kills)]
    note = f"{max(count for _, count in lost)} readings at most; the store was whole each time"
    oldest_s = max(age_s for age_s, _ in lost)
    section.add("age of the oldest reading lost", oldest_s, "s", at_most(1), note=note)
    return section


def kill_once(context: Context, pick: random.Random) -> tuple[float, int]:
    """Kill a service under load; returns how old the oldest lost reading was (s), and how many were lost."""
    with context.folder() as folder:
        adopt_all(folder / "home", [mac_of(number) for number in range(NODES)])
        sent: list[tuple[float, int, int]] = []
        with running(folder) as service:
            stop = threading.Event()
            sender = threading.Thread(target=send_until, args=(stop, service.udp_port, sent))
            sender.start()
            time.sleep(pick.uniform(2, 4))
            os.kill(service.pid, signal.SIGKILL)
            killed_s = time.monotonic()
            stop.set()
            sender.join()
        return missing(folder / "home", sent, killed_s)


def send_until(stop: threading.Event, udp_port: int, sent: list[tuple[float, int, int]]) -> None:
    """Send a reading after the other and note (when, node, stamp) of each; stamps differ at each turn of a node."""
    macs = [bytes.fromhex(mac_of(number).replace(":", "")) for number in range(NODES)]
    first_s = int(time.time()) - BACK_S
    start_s = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while not stop.is_set():
            turn, node = divmod(len(sent), NODES)
            try:
                out.sendto(datagram(macs[node], first_s + turn, 50), ("127.0.0.1", udp_port))
            except ConnectionRefusedError:
                return
            sent.append((time.monotonic(), node, first_s + turn))
            time.sleep(max(0.0, start_s + len(sent) / RATE_PER_S - time.monotonic()))


def missing(folder: Path, sent: list[tuple[float, int, int]], killed_s: float) -> tuple[float, int]:
    """Return the age of the oldest reading that was sent before the kill and is not there (s), and how many are not."""
    store = Store.open(folder, zone=ZONE)
    try:
        findings = store.check(deep=True)
        assert not findings, findings
        numbers = {meter.slug: meter.meter_id for meter in store.registry.meters()}
        there = {
            (node, time_ms // 1000)
            for node in range(NODES)
            for time_ms in store.columns(numbers[f"meter-{node}"], 0, 1 << 62).time_ms.tolist()
        }
    finally:
        store.close()
    ages_s = [killed_s - sent_s for sent_s, node, stamp in sent if sent_s < killed_s and (node, stamp) not in there]
    return max(ages_s, default=0.0), len(ages_s)
