"""From a UDP datagram to a committed reading and its quarter-hours, the service on one core."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.homes import ZONE
from benchmarks.outcome import Context, Section, at_least, at_most
from benchmarks.peers import mac_of
from benchmarks.sender import steps_of
from benchmarks.servers import Http
from benchmarks.service import Service, adopt_all, environment, running
from benchmarks.timing import until
from casawatt.store.store import Store

ACTIVE = 100
"""So many nodes send at a time."""

TURNS = 200
"""So many readings each sends before others go on: its stamps may not be further apart than that."""

RATES = (32_000, 45_000, 60_000, 80_000, 100_000)
GOAL_PER_S = 30_000
STEADY_PER_S = 20_000
WORKED_OFF_S = 30.0
MANY = 1000
METERS_MAX = 2500
ASKED_MAX = 200
IDLE_POLLS = 4
FULL = 0.5
"""From this scale on the fastest stream is looked for."""
ROUNDED_WH = 0.002
"""Quarter-hours are rounded to mWh, and a stream may lie in two of them."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a stream: how many datagrams were sent, in what time, and how many readings the store holds."""

    sent: int
    took_s: float
    kept: int
    cpu_s: float
    """How much processor time the service used for it, sealing and all."""
    waited_s: float
    """How long the service's threads were ready to run while other programs, or each other, had the core."""
    wrong: int
    """How many of the meters that were asked have a measured time or an energy that is not what was sent."""

    @property
    def lost(self) -> int:
        """How many readings are not in the store."""
        return self.sent - self.kept

    @property
    def cpu_us(self) -> float:
        """Processor time for each reading that was kept, in µs."""
        return self.cpu_s / self.kept * 1e6 if self.kept else float("nan")

    def __str__(self) -> str:
        """Say all of it."""
        return (
            f"{self.lost:,} of {self.sent:,} lost at {self.rate_per_s:,.0f}/s; {self.cpu_us:.1f} µs of processor each"
            f"; {self.took_s:.0f} s, its threads waited {self.waited_s:.1f} s for the core"
        )

    @property
    def rate_per_s(self) -> float:
        """How fast the stream really was."""
        return self.sent / self.took_s


def run(context: Context) -> Section:
    """Measure: a steady stream first, then ever faster ones until readings are lost."""
    section = Section("path", "UDP datagram to committed reading and quarter-hours, service on one core")
    section.notes.append(
        f"{ACTIVE} version 1 nodes at a time, others after {TURNS} readings each. All readings are counted in the "
        f"store afterwards, energy and measured time of {ASKED_MAX} meters compared with what was sent. The sender has "
        "the other core."
    )
    seconds = context.sized(22, 2)
    steady = stream(context, round(STEADY_PER_S * min(1.0, context.scale * 10)), seconds)
    section.add("lost at 20,000 readings/s", steady.lost, "readings", at_most(0), note=str(steady))
    section.add("meters with a wrong sum then", steady.wrong, "meters", at_most(0))
    section.add("processor time for each reading, sealing included", steady.cpu_us, "µs")
    many = stream(context, round(STEADY_PER_S * min(1.0, context.scale * 10)), seconds, active=MANY)
    section.add(f"the same with {MANY:,} nodes at a time", many.cpu_us, "µs", note=str(many))
    best, note = (0.0 if steady.lost else steady.rate_per_s), str(steady)
    for rate in RATES if context.scale >= FULL else RATES[:1]:
        found = stream(context, round(rate * min(1.0, context.scale * 10)), seconds)
        note = str(found)
        if found.lost or found.wrong:
            break
        best = found.rate_per_s
    section.add("fastest stream of which none was lost", best, "readings/s", at_least(GOAL_PER_S), note=note)
    return section


def stream(context: Context, rate_per_s: int, seconds: int, active: int = ACTIVE) -> Run:
    """Send a stream to a fresh home and return what became of it."""
    cores = sorted(os.sched_getaffinity(0))
    seconds = min(seconds, METERS_MAX * TURNS // rate_per_s)
    active = min(active, max(1, rate_per_s // 10))
    nodes = -(-rate_per_s * seconds // (active * TURNS)) * active
    with context.folder() as folder:
        adopt_all(folder / "home", [mac_of(number) for number in range(nodes)])
        with running(folder, core=cores[0]) as service:
            before_s, waited_before_s = service.cpu_s(), service.waited_s()
            arguments = [sys.executable, "-m", "benchmarks.sender", service.udp_port, rate_per_s, nodes, active, TURNS]
            on_other = ["taskset", "-c", str(cores[-1])]
            done = subprocess.run(
                [*on_other, *map(str, arguments)], capture_output=True, text=True, check=True, env=environment()
            )
            said = json.loads(done.stdout)
            wait_idle(service)
            cpu_s, waited_s = service.cpu_s() - before_s, service.waited_s() - waited_before_s
            wrong = wrong_sums(service, nodes, said["first_unix_s"])
        kept = count(folder / "home", nodes)
    found = Run(said["sent"], said["took_s"], kept, cpu_s, waited_s, wrong)
    context.say(f"  {found}")
    return found


def wait_idle(service: Service) -> None:
    """Wait until the service has worked off what waits in its socket, and shown the open quarter-hours once more."""
    http = Http(service.port)
    seen: list[float] = []

    def idle() -> bool:
        http.get("/healthz")
        seen.append(service.cpu_s())
        return len(seen) > IDLE_POLLS and seen[-1] - seen[-1 - IDLE_POLLS] < IDLE_POLLS * 0.05

    until(idle, WORKED_OFF_S, poll_s=0.5)
    http.close()


def wrong_sums(service: Service, nodes: int, first_unix_s: int) -> int:
    """Return how many meters' energy or measured time, as the running service tells it, is not what was sent.

    At most `ASKED_MAX` meters are asked, evenly spread.
    """
    http = Http(service.port)
    span = {"start": instant(first_unix_s - 3600), "end": instant(first_unix_s + 3600)}
    wrong = 0
    for node in range(0, nodes, max(1, nodes // ASKED_MAX)):
        total = json.loads(http.get(f"/api/v1/meters/meter-{node}/energy", bucket="hour", **span))["total"]
        energy_wh = steps_of(node) * 0.02 * 230 * (TURNS - 1) / 3600
        wrong += total["measured_s"] != TURNS - 1 or abs(total["energy_wh"] - energy_wh) > ROUNDED_WH
    http.close()
    return wrong


def instant(unix_s: int) -> str:
    """Return an RFC 3339 time."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def count(folder: Path, nodes: int) -> int:
    """Return how many of the sent readings the store holds, each with the value that was sent."""
    kept = 0
    store = Store.open(folder, zone=ZONE, read_only=True)
    try:
        numbers = {meter.slug: meter.meter_id for meter in store.registry.meters()}
        for node in range(nodes):
            columns = store.columns(numbers[f"meter-{node}"], 0, 1 << 62)
            if len(columns):
                kept += int((columns.channels["current_ma"] == steps_of(node) * 20).sum())
    finally:
        store.close()
    return kept
