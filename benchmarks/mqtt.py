"""Two hundred plugs on one broker, each reporting every second: casawatt beside a subscriber that writes nothing."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.homes import ZONE
from benchmarks.mqtt_plugs import TOPIC, current_a
from benchmarks.outcome import Context, PeerError, Section, at_most
from benchmarks.peers import mac_of
from benchmarks.servers import Http, Server, free_port, listens, package_version, process, program
from benchmarks.service import Service, environment, running
from benchmarks.timing import until
from casawatt.store.store import Store

PLUGS = 200
SECONDS = 20
BACKLOG_TURNS = 200
"""So often each reports while nobody listens: what is then taken in at once shows the highest rate."""
PREFILL_PER_S = 20_000
ARRIVED_S = 60.0
POLL_S = 0.05
_RECORDED = re.compile(rb'casawatt_readings_total\{verdict="recorded"\} (\d+)')


def run(context: Context) -> Section:
    """Measure: 200 readings a second for a while, then a backlog as fast as it can be taken in; each by both."""
    section = Section("mqtt", "200 plugs on one MQTT broker, each reporting every second, service on one core")
    section.notes.append(
        f"Mosquitto {package_version('mosquitto')} with its defaults (a queue of 1,000) for the steady stream, without "
        f"a limit for the backlog, which is {PLUGS * BACKLOG_TURNS:,} messages sent while nobody listened. All at QoS "
        "1. casawatt's readings are counted in the store afterwards, with their values; aiomqtt counts messages and "
        "drops them. Broker and plugs have the other core."
    )
    plugs, seconds = context.sized(PLUGS, 5), context.sized(SECONDS, 2)
    turns = context.sized(BACKLOG_TURNS, 5)
    with context.folder() as folder:
        steady(section, folder, plugs, seconds)
    with context.folder() as folder:
        backlog(section, folder, plugs, turns)
    with section.optional("aiomqtt"), context.folder() as folder:
        theirs(section, folder, plugs, seconds, turns)
    by_name = {figure.what: figure.value for figure in section.figures}
    if (rate := by_name.get("plain aiomqtt subscriber, a backlog taken in")) is not None:
        section.add("casawatt : aiomqtt, a backlog taken in", by_name["casawatt, a backlog taken in"] / rate, "times")
    return section


def steady(section: Section, folder: Path, plugs: int, seconds: int) -> None:
    """Let casawatt take in what the plugs report each second."""
    with broker(folder) as server:
        with serving(folder, server, plugs) as service:
            until(lambda: subscribed(server), ARRIVED_S)
            before_s, began_s = service.cpu_s(), time.monotonic()
            report(server, plugs, plugs, seconds)
            arrived(service, plugs * seconds)
            cpu_s, took_s = service.cpu_s() - before_s, time.monotonic() - began_s
        lost = plugs * seconds - count(folder / "home")
    note = f"of {plugs * seconds:,}, in {seconds} s"
    section.add("lost of 200 readings/s by MQTT", lost, "readings", at_most(0), note=note)
    section.add("casawatt, processor then", cpu_s / took_s * 100, "% of a core", note="parsed, written, counted")


def backlog(section: Section, folder: Path, plugs: int, turns: int) -> None:
    """Let casawatt take in what was sent while it was away."""
    sent = plugs * turns
    with broker(folder, limits="max_queued_messages 0") as server:
        with serving(folder, server, plugs):
            until(lambda: subscribed(server), ARRIVED_S)
        report(server, plugs, PREFILL_PER_S, turns)
        with serving(folder, server, plugs) as service:
            took_s = arrived(service, sent)
            cpu_us = service.cpu_s() / sent * 1e6
        lost = sent - count(folder / "home")
    note = f"{lost:,} of {sent:,} lost; {cpu_us:.0f} µs of processor each, its start included"
    section.add("casawatt, a backlog taken in", sent / took_s, "messages/s", note=note)


@contextmanager
def serving(folder: Path, server: Server, plugs: int) -> Iterator[Service]:
    """Run casawatt on one core, with a meter for each plug, until the block ends."""
    meters = [f'[meter.meter-{plug}]\nsource = "ecms_mqtt"\naddress = "{mac_of(plug)}"\n' for plug in range(plugs)]
    broker_lines = f'[broker.home]\nhost = "127.0.0.1"\nport = {server.port}\n[source.ecms_mqtt]\n'
    core = min(os.sched_getaffinity(0))
    with running(folder, core=core, more=broker_lines + "".join(meters)) as service:
        yield service


def theirs(section: Section, folder: Path, plugs: int, seconds: int, turns: int) -> None:
    """Let a plain subscriber hear the same."""
    with broker(folder) as server:
        with listener(server, plugs * seconds) as heard:
            report(server, plugs, plugs, seconds)
            said = heard()
        lost = plugs * seconds - said["heard"]
        section.add("plain aiomqtt subscriber, lost of 200 messages/s", lost, "messages")
        section.add("plain aiomqtt subscriber, processor then", said["cpu_s"] / said["took_s"] * 100, "% of a core")
    with broker(folder, limits="max_queued_messages 0") as server:
        with listener(server, 0) as heard:
            heard()
        report(server, plugs, PREFILL_PER_S, turns)
        with listener(server, plugs * turns) as heard:
            said = heard()
    lost = plugs * turns - said["heard"]
    note = f"{lost:,} of {plugs * turns:,} lost; {said['cpu_s'] / (plugs * turns) * 1e6:.0f} µs of processor each"
    section.add("plain aiomqtt subscriber, a backlog taken in", said["heard"] / said["took_s"], "messages/s", note=note)


@contextmanager
def broker(folder: Path, limits: str = "") -> Iterator[Server]:
    """Run a Mosquitto until the block ends. Raises PeerError when it is not there."""
    port, log, config = free_port(), folder / "mosquitto.log", folder / "mosquitto.conf"
    lines = ["user root", "allow_anonymous true", f"listener {port} 127.0.0.1", "log_type subscribe", limits]
    config.write_text("\n".join([*lines, "log_dest stderr", ""]))
    other = max(os.sched_getaffinity(0))
    arguments = ["taskset", "-c", str(other), program("mosquitto"), "-c", str(config)]
    with process(arguments, log, lambda: listens(port)) as started:
        yield Server(port, package_version("mosquitto"), folder, started.pid)


def subscribed(server: Server) -> bool:
    """Return whether somebody has subscribed."""
    return TOPIC in (server.folder / "mosquitto.log").read_text(errors="replace")


def report(server: Server, plugs: int, rate_per_s: int, turns: int) -> None:
    """Let the plugs report."""
    other = max(os.sched_getaffinity(0))
    words = ["taskset", "-c", str(other), sys.executable, "-m", "benchmarks.mqtt_plugs"]
    numbers = [str(number) for number in (server.port, plugs, rate_per_s, turns)]
    done = subprocess.run([*words, *numbers], capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        raise PeerError(f"the plugs failed: {done.stderr.strip().splitlines()[-1:]}")


def arrived(service: Service, wanted: int) -> float:
    """Return how long it takes until the service has recorded so many readings, or no more come."""
    http = Http(service.port)
    began_s = time.monotonic()

    def all_here() -> bool:
        found = _RECORDED.search(http.get("/metrics"))
        return found is not None and int(found[1]) >= wanted

    until(all_here, ARRIVED_S, poll_s=POLL_S)
    http.close()
    return time.monotonic() - began_s


@contextmanager
def listener(server: Server, wanted: int) -> Iterator[Callable[[], dict[str, Any]]]:
    """Run the plain subscriber; the block is given what returns what it heard, when it has heard all."""
    core = min(os.sched_getaffinity(0))
    words = ["taskset", "-c", str(core), sys.executable, "-m", "benchmarks.mqtt_listener"]
    arguments = [*words, str(server.port), TOPIC, str(wanted)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment()) as started:
        assert started.stdout is not None
        if started.stdout.readline() != "ready\n":
            raise PeerError("it does not start: is the extra `bench` installed?")

        def heard() -> dict[str, Any]:
            assert started.stdout is not None
            found: dict[str, Any] = json.loads(started.stdout.read())
            return found

        try:
            yield heard
        finally:
            if started.poll() is None:
                started.terminate()


def count(folder: Path) -> int:
    """Return how many readings the store holds that have the value that was sent."""
    kept = 0
    store = Store.open(folder, zone=ZONE, read_only=True)
    try:
        for meter in store.registry.meters():
            columns = store.columns(meter.meter_id, 0, 1 << 62)
            if len(columns):
                plug = int(meter.slug.removeprefix("meter-"))
                kept += int((columns.channels["current_ma"] == round(current_a(plug) * 1000)).sum())
    finally:
        store.close()
    return kept
