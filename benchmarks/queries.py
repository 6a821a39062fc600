"""How long questions take: in the store, through the API, cold, warm, with ten times the history, and in the peers."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.homes import DAY_S, TRAITS, ZONE, add_history, feed, open_home, seal
from benchmarks.outcome import Context, Section, at_least, at_most
from benchmarks.peers import Influx, Victoria, mac_of
from benchmarks.readings import START_MS, Dataset, Trace
from benchmarks.servers import Http, influx_db, victoria_metrics
from benchmarks.service import running
from benchmarks.timing import each_s, forget_cached, median, percentile, took_s
from casawatt.engine.localtime import bucket_edges, day_edges
from casawatt.model.meter import Calibration
from casawatt.store.store import Store

METER = 1
RAW_DAYS = 3
YEAR_DAYS = 365
DAY_MS = DAY_S * 1000
RAW_MS = START_MS + DAY_MS
"""The day that is asked for raw: the second of the three at 1 Hz."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the store, and its bars in ms: warm, and cold where there is one.

    `ask_both` is the question for comparing a long history with a short one, when it is another; `grows` says
    whether the two can be compared at all.
    """

    name: str
    ask: Callable[[Store], object]
    warm_ms: float
    cold_ms: float | None = None
    ask_both: Callable[[Store], object] | None = None
    grows: bool = True


def run(context: Context) -> Section:
    """Measure."""
    section = Section("queries", "Questions")
    trace = liveliest(context.data)
    years = max(1, round(10 * context.scale))
    section.notes.append(
        f"One meter ({trace.name}): {RAW_DAYS} days at 1 Hz behind {years} years of one reading a minute "
        "(and, to compare, a tenth of those). Cold: the files dropped from the kernel's memory, the store opened anew."
    )
    with context.folder() as folder:
        context.say(f"  making {years} years of history")
        long, short = folder / "long", folder / "short"
        make(long / "home", trace, context.sized(10 * YEAR_DAYS, 3))
        make(short / "home", trace, context.sized(YEAR_DAYS, 2))
        _in_store(section, long / "home", short / "home", questions(context), context.sized(100, 3))
        ours = _through_api(section, long, context.sized(60, 3))
        _peers(section, folder, trace, ours, context.sized(30, 3))
    return section


def liveliest(data: Dataset) -> Trace:
    """Return the trace of at least three days whose second day changes most often."""
    long_enough = [trace for trace in data.traces if len(trace.power_w) >= (RAW_DAYS - 1) * DAY_S] or data.traces[:1]
    return max(long_enough, key=lambda trace: np.count_nonzero(np.diff(trace.power_w[DAY_S : 2 * DAY_S])))


def make(folder: Path, trace: Trace, days: int) -> None:
    """Make a home of one meter with `days` of history before the days at 1 Hz."""
    address = mac_of(0)
    with open_home(folder, [address]) as home:
        add_history(home, trace, days)
        for day in range(RAW_DAYS):
            feed(home, address, trace, day * DAY_S, DAY_S)
            seal(home)
        assert len(home.store.columns(METER, RAW_MS, RAW_MS + DAY_MS)) == DAY_S


def questions(context: Context) -> list[Asked]:
    """Return the questions of the design, with its bars."""
    calibrations = [Calibration(0, cadence=TRAITS.cadence, gap_limit_ms=TRAITS.gap_limit_ms)]
    end_ms = START_MS + RAW_DAYS * DAY_MS
    days = day_edges(ZONE, end_ms - YEAR_DAYS * DAY_MS, end_ms)
    years = max(1, round(10 * context.scale))
    months = bucket_edges(ZONE, end_ms - years * YEAR_DAYS * DAY_MS, end_ms, "month")
    spans = _spans(end_ms - years * YEAR_DAYS * DAY_MS, end_ms)
    late_spans: dict[Path, Iterator[tuple[int, int]]] = {}

    def late_span(store: Store) -> tuple[int, int]:
        """Return the next span that both histories have; each store is asked for the same ones."""
        first_ms = end_ms - context.sized(YEAR_DAYS, 2) * DAY_MS
        return next(late_spans.setdefault(store.folder, _spans(first_ms, end_ms)))

    return [
        Asked("one day raw (86,400 readings)", lambda store: store.columns(METER, RAW_MS, RAW_MS + DAY_MS), 2),
        Asked("one day by minute", lambda store: store.by_minute(METER, RAW_MS, RAW_MS + DAY_MS, calibrations), 2),
        Asked("year by day", lambda store: store.buckets(METER, days, calibrations), 1, grows=context.scale == 1),
        Asked("ten years by month", lambda store: store.buckets(METER, months, calibrations), 2, 5, grows=False),
        Asked(
            "energy between any two instants",
            lambda store: store.energy(METER, *next(spans), calibrations),
            1,
            ask_both=lambda store: store.energy(METER, *late_span(store), calibrations),
        ),
    ]


def _spans(first_ms: int, last_ms: int) -> Iterator[tuple[int, int]]:
    """Yield random spans of all lengths, from a second to everything, whose edges are no round times."""
    pick = random.Random(7)
    while True:
        length_ms = int(1000 * ((last_ms - first_ms) / 1000) ** pick.random())
        start_ms = pick.randrange(first_ms, last_ms - length_ms)
        yield start_ms, start_ms + length_ms


def _in_store(section: Section, long: Path, short: Path, asked: Sequence[Asked], times: int) -> None:
    """Add each question's times, and how many times as long each takes with the long history as with the short one."""
    grown = {}
    with _opened(long) as many, _opened(short) as few:
        for question in asked:
            cold = [_cold_s(long, question) for _ in range(max(3, times // 10))]
            each_s([partial(question.ask, many)] * 3)
            warm = each_s([partial(question.ask, many)] * times)
            note = f"95th percentile {percentile(warm, 0.95) * 1000:.2f} ms; cold {median(cold) * 1000:.2f} ms"
            what = f"{question.name}, in the store"
            section.add(what, median(warm) * 1000, "ms", at_most(question.warm_ms), note=note)
            if question.cold_ms is not None:
                section.add(f"{question.name}, cold", median(cold) * 1000, "ms", at_most(question.cold_ms))
            if question.grows:
                grown[question.name] = _growth(question, many, few, times)
    note = ", ".join(f"{name}: {factor:.2f}" for name, factor in grown.items()) + "; up to 1.25 counts as noise"
    section.add("slowest growth with ten times the history", max(grown.values()), "times", at_most(1.25), note=note)


def _growth(question: Asked, many: Store, few: Store, times: int) -> float:
    ask = question.ask_both or question.ask
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * times + 6):
        long = number % 2 == 0
        took[long].append(took_s(lambda: ask(many if long else few)))  # noqa: B023 (asked at once)
    return median(took[True][3:]) / median(took[False][3:])


@contextmanager
def _opened(folder: Path) -> Iterator[Store]:
    store = Store.open(folder, zone=ZONE, read_only=True)
    try:
        yield store
    finally:
        store.close()


def _cold_s(folder: Path, question: Asked) -> float:
    forget_cached(folder)
    with _opened(folder) as store:
        forget_cached(folder)
        return took_s(lambda: question.ask(store))


def instant(time_ms: int) -> str:
    """Return an RFC 3339 time."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _through_api(section: Section, folder: Path, times: int) -> tuple[float, float]:
    """Add the times through the running service; returns those of the day raw and by minute, in ms."""
    end_ms = START_MS + RAW_DAYS * DAY_MS
    day = {"start": instant(RAW_MS), "end": instant(RAW_MS + DAY_MS)}
    asked: tuple[tuple[str, str, dict[str, str], float | None], ...] = (
        ("one day raw", "readings", {**day, "resolution": "raw"}, 10),
        ("one day by minute", "readings", {**day, "resolution": "1m"}, 10),
        (
            "year by day",
            "energy",
            {"start": instant(end_ms - 365 * DAY_MS), "end": instant(end_ms), "bucket": "day"},
            None,
        ),
        (
            "ten years by month",
            "energy",
            {"start": instant(end_ms - 3650 * DAY_MS), "end": instant(end_ms), "bucket": "month"},
            None,
        ),
    )
    found = []
    with running(folder) as service:
        http = Http(service.port)
        for name, path, parameters, bar_ms in asked:
            ask = partial(http.get, f"/api/v1/meters/meter-0/{path}", **parameters)
            each_s([ask] * 3)
            took = each_s([ask] * times)
            note = f"95th percentile {percentile(took, 0.95) * 1000:.1f} ms, {len(ask()):,} bytes"
            bar = None if bar_ms is None else at_most(bar_ms)
            found.append(median(took) * 1000)
            section.add(f"{name}, through the API", found[-1], "ms", bar, note=note)
        http.close()
    return found[0], found[1]


def _peers(section: Section, folder: Path, trace: Trace, ours: tuple[float, float], times: int) -> None:
    """Ask the peers the same by HTTP. They hold only the days at 1 Hz, not the years: that is in their favour."""
    data = Dataset((Trace(trace.name, np.resize(trace.power_w, RAW_DAYS * DAY_S)),), "")
    with section.optional("VictoriaMetrics"), victoria_metrics(folder) as server, closing(Victoria(server)) as victoria:
        victoria.fill(data)
        _compare(section, "VictoriaMetrics", _asked_ms(victoria, trace.name, times), ours, 10)
    with section.optional("InfluxDB"), influx_db(folder) as server, closing(Influx(server)) as influx:
        influx.fill(data)
        influx.size_bytes(3)
        _compare(section, "InfluxDB", _asked_ms(influx, trace.name, times), ours, 50)


def _asked_ms(peer: Victoria | Influx, meter: str, times: int) -> tuple[list[float], list[float]]:
    """Return how long a peer takes for the day raw and by minute, in ms."""
    answers = []
    for ask in (peer.day, peer.by_minute):
        once = partial(ask, meter, RAW_MS, RAW_MS + DAY_MS)
        each_s([once] * 3)
        answers.append([took * 1000 for took in each_s([once] * times)])
    return answers[0], answers[1]


def _compare(
    section: Section, peer: str, theirs: tuple[list[float], list[float]], ours: tuple[float, float], bar: float
) -> None:
    """Add a peer's times and how many times as long they are as casawatt's, in the store and through the API."""
    in_store = {figure.what: figure.value for figure in section.figures}
    stores = in_store["one day raw (86,400 readings), in the store"], in_store["one day by minute, in the store"]
    rows = zip(("one day raw", "one day by minute"), theirs, stores, ours, strict=True)
    for what, took_ms, store_ms, api_ms in rows:
        theirs_ms = median(took_ms)
        note = f"95th percentile {percentile(took_ms, 0.95):.1f} ms"
        section.add(f"{what}, {peer} by HTTP", theirs_ms, "ms", note=note)
        section.add(f"{what}, {peer} by HTTP : casawatt's store", theirs_ms / store_ms, "times", at_least(bar))
        section.add(f"{what}, {peer} by HTTP : casawatt's API", theirs_ms / api_ms, "times")
