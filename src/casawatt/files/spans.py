"""A period in pieces: days to read at a time, and edges of the buckets to write."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

RESOLUTIONS = {"1m": 60_000, "15m": 900_000, "1h": 3_600_000, "day": None}
"""Lengths of export buckets in ms; a local day has no fixed one."""


def local_days(start_ms: int, end_ms: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Yield `start_ms <= t < end_ms` (UTC ms) as consecutive pieces cut at the midnights of `zone`."""
    while start_ms < end_ms:
        local = datetime.fromtimestamp(start_ms / 1000, tz=zone)
        tomorrow = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=1)
        edge_ms = min(round(tomorrow.astimezone(UTC).timestamp() * 1000), end_ms)
        yield start_ms, edge_ms
        start_ms = edge_ms


def edges(start_ms: int, end_ms: int, step_ms: int | None) -> list[int]:
    """Return the edges of the buckets of one day's piece, both ends included; one bucket without a step."""
    return [start_ms, *range(start_ms + step_ms, end_ms, step_ms), end_ms] if step_ms else [start_ms, end_ms]
