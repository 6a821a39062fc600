"""The captures, played into the collector at the times they were received."""

from pathlib import Path

from casawatt.sources.ecms_collector import Collector
from tests.fakes.clock import START_MS
from tests.fakes.inbox import RecordingInbox

CAPTURES = Path(__file__).parents[1] / "captures" / "ecms_udp"


def played(name: str) -> RecordingInbox:
    inbox = RecordingInbox()
    collector = Collector(inbox, {}, require_v2=False, max_packets_per_s=200)
    for line in (CAPTURES / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            received_ms, data = line.split()
            inbox.clock.time_ms = int(received_ms)
            collector.take([(bytes.fromhex(data), ("192.0.2.9", 4444))], int(received_ms) / 1000)
    return inbox


def test_two_version_1_nodes_are_read_apart() -> None:
    inbox = played("v1-made-by-hand.txt")
    fridge = [r for r in inbox.readings if r.address == "5c:cf:7f:01:02:03"]
    washer = [r for r in inbox.readings if r.address == "5c:cf:7f:01:02:04"]
    assert [r.current_a for r in fridge] == [0.84, 0.82, 0.82, 0.06]
    assert [r.time_ms for r in fridge] == [None, START_MS + 13_000, START_MS + 23_000, START_MS + 33_000]
    assert [r.current_a for r in washer] == [1.2, 5.02, 0.24]
    assert inbox.refused == {("5c:cf:7f:01:02:03", "clock"): 1, ("5c:cf:7f:01:02:04", "wrap"): 1}
