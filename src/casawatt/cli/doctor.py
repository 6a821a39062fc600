"""`casawatt doctor`: looks for what is wrong with a home, and says what to do."""

import asyncio
import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from casawatt.app_home import OpenHome, open_home
from casawatt.app_sources import Source, load_sources
from casawatt.cli import client
from casawatt.cli.metrics import refused
from casawatt.cli.output import out, print_json
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, Place, find
from casawatt.clock import WallClock
from casawatt.model.errors import CasawattError
from casawatt.recorder.line import Line
from casawatt.recorder.verify import differences, run_differences
from casawatt.transports.mqtt import try_out
from casawatt.web.details import WEEK_MS

LEAST_FREE_BYTES = 500_000_000
EARLIEST_CREDIBLE = datetime(2026, 1, 1, tzinfo=UTC)

STYLES = {"ok": "green", "note": "yellow", "bad": "bold red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `level` is `ok`, `note` or `bad`."""

    level: str
    subject: str
    text: str


def doctor(
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read back every reading that was ever recorded.")] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Derive every figure anew from the readings and compare.")
    ] = False,
) -> None:
    """Check config, data, disk, clock and ports, and what was refused. Exit code 1 when something is bad."""
    findings = []
    for finding in examine(config, data, deep=deep, rebuild=rebuild):
        findings.append(finding)
        if not as_json:
            out.print(f"{finding.level:4} ", style=STYLES[finding.level], end="")
            out.print(f"{finding.subject}: {finding.text}")
    if as_json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.level == "bad" for finding in findings):
        raise typer.Exit(1)


def examine(config: Path | None, data: Path | None, *, deep: bool, rebuild: bool) -> Iterator[Finding]:
    """Yield what was found, one thing after the other."""
    try:
        place = find(config, data)
        sources = load_sources(place.config)
    except CasawattError as error:
        yield Finding("bad", "config", str(error))
        return
    named = "the demo home, there is no config" if place.demo else place.config.document.path
    yield Finding("ok", "config", f"{named}; sources: {', '.join(source.name for source in sources) or 'none'}")
    yield clock_finding()
    yield disk_finding(place.folder)
    service = client.running(place.folder)
    if service is None:
        yield Finding("note", "service", f"no service runs on {place.folder}")
        yield from port_findings(place)
        yield from broker_findings(place, sources)
    else:
        yield from service_findings(service)
    yield from data_findings(place, deep=deep, rebuild=rebuild)


def clock_finding() -> Finding:
    """Return whether the machine's clock can be right."""
    now = datetime.now(UTC)
    if now < EARLIEST_CREDIBLE:
        return Finding("bad", "clock", f"it says {now:%Y-%m-%d %H:%M} UTC; let the machine take its time by NTP")
    return Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def disk_finding(folder: Path) -> Finding:
    """Return how much room there is where the data is."""
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / 1e9:.1f} GB free at {existing}"
    return Finding("ok" if free >= LEAST_FREE_BYTES else "bad", "disk", text)


def port_findings(place: Place) -> Iterator[Finding]:
    """Yield whether the ports that the service would listen on are free."""
    wanted = [("page", socket.SOCK_STREAM, place.config.web.host, place.config.web.port)]
    for source in load_sources(place.config):
        host, port = getattr(source.options, "host", None), getattr(source.options, "port", None)
        if isinstance(host, str) and isinstance(port, int):
            wanted.append((source.name, socket.SOCK_DGRAM, host, port))
    for name, kind, host, port in wanted:
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            yield Finding("bad", "port", f"{name} cannot listen on {host}:{port}: {error.strerror}")
        else:
            yield Finding("ok", "port", f"{name} can listen on {host}:{port}")


def broker_findings(place: Place, sources: Sequence[Source]) -> Iterator[Finding]:
    """Yield whether the brokers that sources use let us in. The service itself, when it runs, says how they are."""
    for name in sorted({source.broker for source in sources if source.broker is not None}):
        options = place.config.brokers[name]
        try:
            asyncio.run(try_out(name, options))
        except (OSError, CasawattError) as error:
            yield Finding("bad", "broker", f"{name}: {error}")
        else:
            yield Finding("ok", "broker", f"{name} lets us in at {options.host}:{options.tcp_port}")


def service_findings(service: client.Client) -> Iterator[Finding]:
    """Yield how the running service is, and what it refused since it started."""
    health = service.get("/healthz")
    level = {"ok": "ok", "degraded": "note"}.get(health["status"], "bad")
    yield Finding(level, "service", f"{health['status']} since {health['since']} at {service.url}")
    if health["store"]["trouble"]:
        yield Finding("bad", "store", health["store"]["trouble"])
    for source in health["sources"]:
        failing = source["state"] == "restarting"
        error = f", last error: {source['last_error']}" if source["last_error"] else ""
        text = f"{source['name']} {source['state']}, {source['failures']} failures{error}"
        yield Finding("bad" if failing else "ok", "source", text)
    for refusal in refused(service.text("/metrics")):
        text = f"{refusal.count} x {refusal.cause} from {refusal.sender} ({refusal.source})"
        yield Finding("note", "refused", text)


def data_findings(place: Place, *, deep: bool, rebuild: bool) -> Iterator[Finding]:
    """Yield whether the data is whole, and with `rebuild` whether the figures are what the readings say."""
    if not (place.folder / "casawatt.db").exists():
        yield Finding("note", "data", f"nothing was recorded yet in {place.folder}")
        return
    try:
        with open_home(place.config, place.folder, WallClock(), read_only=True) as home:
            problems = home.store.check(deep=deep)
            for problem in problems:
                yield Finding("bad", "data", problem)
            if not problems:
                yield Finding("ok", "data", f"{place.folder} is whole")
            for line in home.recorder.lines():
                now_ms = home.clock.now_ms()
                if aside := home.store.suspects.between(line.meter_id, now_ms - WEEK_MS, now_ms):
                    count = len({each.time_ms for each in aside})
                    text = f"{line.meter.slug}: {count} readings of the last seven days; see `casawatt repair list`"
                    yield Finding("note", "set aside", text)
            for line in home.recorder.lines() if rebuild else ():
                found = differences(line, home.store)
                for difference in found:
                    yield Finding("bad", "figures", difference)
                if not found:
                    yield Finding("ok", "figures", f"{line.meter.slug}: every quarter-hour is what the readings say")
                yield from run_findings(home, line)
    except CasawattError as error:
        yield Finding("bad", "data", str(error))


def run_findings(home: OpenHome, line: Line) -> Iterator[Finding]:
    """Yield whether the runs of a meter are what its readings say."""
    runs, slug = home.recorder.runs, line.meter.slug
    found = run_differences(line, runs)
    mixed = runs.mixed(line.meter_id)
    for difference in found:
        yield Finding("note" if mixed else "bad", "runs", difference)
    if found and mixed:
        text = f"{slug}: its options were changed since these were found; `casawatt runs rebuild` finds all runs anew"
        yield Finding("note", "runs", text)
    if not found and runs.has_runs(line.meter_id):
        yield Finding("ok", "runs", f"{slug}: every run is what the readings say")
