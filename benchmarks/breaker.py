"""The limiter over a month of a real house: what would have switched it off, and how long before it was warned of."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from benchmarks.outcome import Context, Section, at_least, at_most
from casawatt.engine import limiter
from casawatt.engine.limiter import START, Kind, Said
from casawatt.model.supply import PRESETS, Limiter, limiter_of
from casawatt.recordings.uci import ZONE, UciParser

RECORDING = Path("uci") / "household_power_2007-02.csv.gz"
CONTRACTS_W = (3000, 4500, 6000)
HOLDS_MS = 300_000
"""Two minutes of the recording are missing, in one place each; the power holds over them."""


Powers = list[tuple[int, int]]
"""Times (UTC ms) and powers (mW) in order of time."""


@dataclass(frozen=True, slots=True)
class Episode:
    """From when the limiter's first announcement until power is normal. Times are UTC ms; `trip_ms` None: it held."""

    warned_ms: int | None
    trip_ms: int | None

    @property
    def lead_s(self) -> float | None:
        """How long before the limiter would have acted it was first warned of, in seconds."""
        if self.trip_ms is None or self.warned_ms is None:
            return None
        return (self.trip_ms - self.warned_ms) / 1000


def powers_of(path: Path) -> Powers:
    """Return the powers of the whole house in a recording."""
    parser = UciParser(ZoneInfo(ZONE))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for line in lines for row in parser.parse(line.strip())]
    return [(row.time_ms, round(row.power_w * 1000)) for row in rows if not row.part and row.power_w is not None]


def replay(powers: Powers, rules: Limiter) -> list[Said]:
    """Return all that is said of powers as they come."""
    state = START
    said: list[Said] = []
    for time_ms, power_mw in powers:
        state, more = limiter.step(state, time_ms, power_mw, rules, HOLDS_MS)
        said += more
    return said


def episodes(said: Sequence[Said]) -> list[Episode]:
    """Return what was said, by episodes."""
    found: list[Episode] = []
    running = False
    for each in said:
        if each.kind is Kind.NORMAL:
            running = False
            continue
        last = found.pop() if running else Episode(None, None)
        running = True
        warned_ms = each.time_ms if each.kind is Kind.WARNING and last.warned_ms is None else last.warned_ms
        trip_ms = each.time_ms if each.kind is Kind.DUE and last.trip_ms is None else last.trip_ms
        found.append(Episode(warned_ms, trip_ms))
    return found


def run(context: Context) -> Section:
    """Replay."""
    section = Section("breaker", "The breaker: a month of a real house")
    folder = context.data.folder
    if folder is None or not (folder / RECORDING).exists():
        section.notes.append(f"Nothing replayed: name a folder with {RECORDING} with `--data`.")
        return section
    powers = powers_of(folder / RECORDING)
    section.notes.append(f"{len(powers)} minutes, the highest of {max(power for _, power in powers) / 1e6:.2f} kW.")
    for contracted_w in CONTRACTS_W:
        add(section, f"{contracted_w / 1000:g} kW", replay(powers, limiter_of(PRESETS["italy"], contracted_w)))
    return section


def add(section: Section, contract: str, said: Sequence[Said]) -> None:
    """Add the figures of a contract."""
    found = episodes(said)
    tripped = [each for each in found if each.trip_ms is not None]
    leads_s = [each.lead_s for each in tripped if each.lead_s is not None]
    section.add(f"{contract}: episodes announced", len(found), "")
    section.add(f"{contract}: of these the limiter would have acted in", len(tripped), "")
    section.add(f"{contract}: of these warned of before", len(leads_s), "", at_least(len(tripped)))
    if leads_s:
        section.add(f"{contract}: lead, median", median(leads_s), "s")
        section.add(f"{contract}: lead, shortest", min(leads_s), "s")
    warnings = [each for each in said if each.kind is Kind.WARNING]
    section.add(f"{contract}: warnings", len(warnings), "")
    without = [each for each in warnings if each.trip_in_ms is None]
    section.add(f"{contract}: warnings without a countdown", len(without), "", at_most(0))
