"""What the running service needs: memory with a hundred meters, processor and writes with ten, in real time."""

import json
import socket
import time
from contextlib import ExitStack

from benchmarks.device import Device, own_device
from benchmarks.outcome import Context, Section, at_most
from benchmarks.path import instant
from benchmarks.peers import mac_of
from benchmarks.readings import Dataset
from benchmarks.sender import datagram
from benchmarks.servers import Http
from benchmarks.service import Service, adopt_all, running

MANY, FEW = 100, 10
HOUR_S = 3600


def run(context: Context) -> Section:
    """Measure."""
    section = Section("load", "Memory and processor of the running service")
    _memory(section, context)
    _processor(section, context)
    return section


def _memory(section: Section, context: Context) -> None:
    """An hour of a hundred meters comes in by the API, so as not to wait for it; then UDP as time goes."""
    seconds, hour_s = context.sized(20, 2), context.sized(HOUR_S, 60)
    with context.folder() as folder:
        adopt_all(folder / "home", [mac_of(number) for number in range(MANY)])
        with running(folder) as service:
            idle_mb = service.memory_mb()
            before_s = int(time.time()) - hour_s
            _import_hour(service, context.data, before_s, hour_s)
            resident_mb = [service.memory_mb()]
            _live(service, MANY, seconds, context.data)
            resident_mb.append(service.memory_mb())
            _ask(service, before_s, hour_s, context.sized(40, 2))
            resident_mb.append(service.memory_mb())
            most_mb = service.memory_mb("VmHWM")
    note = (
        f"{idle_mb:.0f} MB at the start, {resident_mb[0]:.0f} after {MANY * hour_s:,} readings of the last hour, "
        f"{resident_mb[1]:.0f} after {seconds} s live, {resident_mb[2]:.0f} after the API was asked for all of it; "
        f"{most_mb:.0f} at most"
    )
    section.add(f"resident, {MANY} meters at 1 Hz", max(resident_mb), "MB", at_most(150), note=note)


def _import_hour(service: Service, data: Dataset, before_s: int, hour_s: int) -> None:
    http = Http(service.port)
    times_ms = [(before_s + second) * 1000 for second in range(hour_s)]
    for number in range(MANY):
        trace = data.traces[number % len(data.traces)]
        power_w = [power_mw / 1000 for power_mw in trace.mw(number * 977, hour_s)]
        body = json.dumps({"time_ms": times_ms, "power_w": power_w}).encode()
        answer = json.loads(http.post(f"/api/v1/meters/meter-{number}/readings", body, "application/json"))
        assert answer["recorded"] == hour_s, answer
    http.close()


def _ask(service: Service, start_s: int, hour_s: int, times: int) -> None:
    http = Http(service.port)
    span = {"start": instant(start_s), "end": instant(start_s + hour_s)}
    for number in range(times):
        meter = f"/api/v1/meters/meter-{number * 37 % MANY}"
        for resolution in ("raw", "1m", "15m"):
            http.get(f"{meter}/readings", resolution=resolution, **span)
        http.get(f"{meter}/energy", bucket="day", **span)
        http.get("/api/v1/meters")
    http.close()


def _live(service: Service, meters: int, seconds: int, data: Dataset) -> None:
    """Send each meter's current once a second in real time, spread over the second as nodes are."""
    macs = [bytes.fromhex(mac_of(number).replace(":", "")) for number in range(meters)]
    powers_w = [data.traces[number % len(data.traces)].mw(number * 977, seconds) for number in range(meters)]
    start_s = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect(("127.0.0.1", service.udp_port))
        for number in range(meters * seconds):
            second, meter = divmod(number, meters)
            time.sleep(max(0.0, start_s + second + meter / meters - time.monotonic()))
            steps = min(255, round(powers_w[meter][second] / 1000 / 230 * 50))
            out.send(datagram(macs[meter], int(time.time()), steps))


def _processor(section: Section, context: Context) -> None:
    seconds = 60 if context.scale >= 1 else context.sized(150, 2)
    with ExitStack() as stack:
        folder = stack.enter_context(context.folder())
        device: Device | None = None
        with section.optional("written bytes"):
            device = stack.enter_context(own_device(folder))
            folder = device.folder
        adopt_all(folder / "home", [mac_of(number) for number in range(FEW)])
        with running(folder) as service:
            _live(service, FEW, min(5, seconds), context.data)
            cpu_s, start_s = service.cpu_s(), time.monotonic()
            written = device.written_bytes() if device is not None else 0
            _live(service, FEW, seconds, context.data)
            took_s = time.monotonic() - start_s
            busy = (service.cpu_s() - cpu_s) / took_s
            written = device.written_bytes() - written if device is not None else 0
            kept = _kept(service)
    note = f"{took_s:.0f} s of real time, nobody looking at the page; {kept} readings of the last minute are there"
    section.add(f"processor, {FEW} meters at 1 Hz", busy * 100, "% of a core", at_most(3), note=note)
    if device is None:
        return
    what = f"written to the device, {FEW} meters at 1 Hz, sync_s = 10, in real time"
    section.add(what, written / (FEW * seconds), "bytes/reading", note="no seal falls into it; for these see above")


def _kept(service: Service) -> int:
    http = Http(service.port)
    now_s = int(time.time())
    span = {"start": instant(now_s - 60), "end": instant(now_s + 60)}
    kept = sum(
        len(json.loads(http.get(f"/api/v1/meters/meter-{number}/readings", resolution="raw", **span))["time_ms"])
        for number in range(FEW)
    )
    http.close()
    return kept
