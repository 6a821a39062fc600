"""A virtual node and a collector joined by a wire that tests can cut; no socket, no waiting."""

from collections.abc import Callable

from casawatt.sources.ecms_collector import Collector
from casawatt.transports.udp import Address
from casawatt.virtual.ecms_encode import Measured
from casawatt.virtual.ecms_node import Measure, NodeV2
from tests.fakes.clock import START_MS, ManualClock
from tests.fakes.inbox import RecordingInbox

MAC = bytes.fromhex("5ccf7f010203")
ADDRESS = "5c:cf:7f:01:02:03"
KEY = bytes(range(32))
NODE_ADDRESS: Address = ("10.0.0.7", 5000)


def steady(current_a: float) -> Measure:
    return lambda _: Measured(current_a)


def node_v2(measure: Measure | None = None, **options: object) -> NodeV2:
    return NodeV2(MAC, KEY, measure or steady(2.0), START_MS, **options)  # type: ignore[arg-type]


class Link:
    """Carries datagrams between `node` and a collector that puts readings into `inbox`.

    `passes` is asked for each datagram, in both directions, whether it arrives. `reports` and `acks` are
    all that were sent, also those lost.
    """

    receive_buffer_bytes = 0
    dropped = None

    def __init__(self, node: NodeV2, inbox: RecordingInbox | None = None) -> None:
        self.node = node
        self.inbox = inbox or RecordingInbox(ManualClock())
        self.reports: list[bytes] = []
        self.acks: list[bytes] = []
        self.passes: Callable[[], bool] = lambda: True
        self._answers: list[bytes] = []
        self.restart_collector()
        self.inbox.when_safer(self._tell)

    @property
    def now_ms(self) -> int:
        return self.inbox.clock.now_ms()

    def restart_collector(self) -> None:
        """Begin with a collector that remembers nothing."""
        self.collector = Collector(self.inbox, {MAC: KEY}, require_v2=False, max_packets_per_s=1e9)
        self.collector.attach(self)

    def send(self, data: bytes, address: Address) -> bool:
        """Carry an ack from the collector (this is the collector's endpoint)."""
        assert address == NODE_ADDRESS
        self.acks.append(data)
        if self.passes():
            self._answers.append(data)
        return True

    def carry(self, reports: list[bytes]) -> None:
        """Carry reports to the collector, its acks to the node, and so on until both are silent."""
        while reports:
            for data in reports:
                self.reports.append(data)
                if self.passes():
                    self.inject(data)
            answers, self._answers = self._answers, []
            reports = [report for ack in answers for report in self.node.hear(ack, self.now_ms)]

    def inject(self, data: bytes) -> None:
        """Let the collector have a datagram, whoever sent it."""
        self.collector.take([(data, NODE_ADDRESS)], 0.0)

    def live(self, seconds: int) -> None:
        """Let this many seconds pass, one at a time."""
        for _ in range(seconds):
            self.inbox.clock.advance(1000)
            self.carry(self.node.tick(self.now_ms))

    def make_safe(self) -> None:
        """Force everything to the disk; the node hears of it."""
        self.inbox.make_safe()

    def _tell(self, ticket: int) -> None:
        self.collector.tell_what_is_safe(ticket)
        answers, self._answers = self._answers, []
        for ack in answers:
            self.carry(self.node.hear(ack, self.now_ms))
