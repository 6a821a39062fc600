"""Metrics in the Prometheus text format 0.0.4; each is described in docs/api.md."""

from collections.abc import Iterable, Iterator

from casawatt import __version__
from casawatt.web.documents import MeterDocument, meter_document
from casawatt.web.ports import Metric, Ports, Sample

TEXT_FORMAT = "text/plain; version=0.0.4"


def own_metrics(ports: Ports, *, streams: int) -> list[Metric]:
    """Return the metrics of the service's health, its sources, its store and its meters."""
    health = ports.status.health()
    sources = health.sources
    return [
        Metric(
            "casawatt_info",
            "Always 1; the labels say which casawatt this is.",
            "gauge",
            [Sample({"version": __version__, "home": ports.home.home_id}, 1)],
        ),
        single("casawatt_healthy", "1 when the service is ok, 0 when degraded or failing.", health.status == "ok"),
        single("casawatt_start_time_seconds", "When the service started, Unix time.", health.since_ms / 1000),
        single("casawatt_live_streams", "Open streams of live events.", streams),
        single(
            "casawatt_store_trouble",
            "1 when the store reports trouble, such as a full disk.",
            bool(health.store.trouble),
        ),
        single(
            "casawatt_store_written_sequence",
            "Newest reading handed to the operating system.",
            health.store.written_seq,
        ),
        single("casawatt_store_durable_sequence", "Newest reading safe on the disk.", health.store.durable_seq),
        Metric(
            "casawatt_source_running",
            "1 when the source runs, 0 when it has ended or waits for its restart.",
            "gauge",
            [Sample({"source": source.name}, source.state == "running") for source in sources],
        ),
        Metric(
            "casawatt_source_failures_total",
            "How often the source has failed since the service started.",
            "counter",
            [Sample({"source": source.name}, source.failures) for source in sources],
        ),
        *meter_metrics([meter_document(ports, meter) for meter in ports.meters.meters()]),
    ]


def single(name: str, text: str, value: float) -> Metric:
    """Return a gauge of one value without labels."""
    return Metric(name, text, "gauge", [Sample({}, value)])


def meter_metrics(meters: list[MeterDocument]) -> list[Metric]:
    """Return what the meters say, with the meter's slug as label."""
    return [
        Metric(
            "casawatt_meter_power_watts",
            "Newest power of the meter; absent while it is silent.",
            "gauge",
            [Sample({"meter": m.slug}, m.power_w) for m in meters if m.power_w is not None and not m.silent],
        ),
        Metric(
            "casawatt_meter_silent",
            "1 when nothing was heard of the meter for longer than its source allows.",
            "gauge",
            [Sample({"meter": m.slug}, m.silent) for m in meters],
        ),
        Metric(
            "casawatt_meter_today_watt_hours",
            "Energy since local midnight.",
            "gauge",
            [Sample({"meter": m.slug}, m.today_wh) for m in meters],
        ),
        Metric(
            "casawatt_meter_today_coverage_ratio",
            "Share of the time since local midnight that was really measured.",
            "gauge",
            [Sample({"meter": m.slug}, m.today_coverage) for m in meters],
        ),
    ]


def exposition(metrics: Iterable[Metric]) -> str:
    """Return metrics as Prometheus reads them."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{_escaped(value, quotes=True)}"' for name, value in sample.labels.items())
        yield (
            f"{metric.name}{{{labels}}} {_number(sample.value)}" if labels else f"{metric.name} {_number(sample.value)}"
        )


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, (bool, int)) else repr(value)


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if quotes else text
