"""What a collector remembers of one version 2 node: whether a report is fresh, and which samples are where."""

import hmac

from casawatt.model.errors import PacketError
from casawatt.model.ports import NOT_NOW
from casawatt.sources.ecms_wire_v2 import Report
from casawatt.transports.udp import Address

MAX_UNSAFE_SAMPLES = 65_536
"""So many samples of one node may wait for the disk; those beyond are not taken, the node sends them again."""


class NodeSession:
    """One node's boot, sequence and samples.

    `secret` is the collector's own, new at each start. It makes the challenge that a node must repeat: a
    report recorded before this collector started, or before the node's present boot, does not have it.
    """

    def __init__(self, mac: bytes, secret: bytes) -> None:
        self.mac = mac
        self.boot_id = 0
        self.sequence = 0
        self.uptime_ms = 0
        self.peer: Address | None = None
        self.have = 0
        """Every sample up to this number has been taken, or will never come."""
        self.safe = 0
        """Every sample up to this number may be forgotten by the node."""
        self.recorded = True
        """False while the inbox records nothing of this node."""
        self._secret = secret
        self._challenge = b""
        self._boots = 0
        self._tickets: dict[int, int] = {}

    def challenge_for(self, boot_id: int) -> bytes:
        """Return the 8 bytes that a fresh report of this boot carries."""
        if boot_id == self.boot_id:
            return self._challenge
        seed = self.mac + boot_id.to_bytes(8, "big") + self._boots.to_bytes(8, "big")
        return hmac.digest(self._secret, seed, "sha256")[:8]

    def admit(self, report: Report, peer: Address) -> bool:
        """Return whether a report is fresh; False if the node must first be given a new challenge.

        Raises PacketError (`replay`) for a report that was seen before or was overtaken by a later one.
        """
        if report.challenge != self.challenge_for(report.boot_id):
            return False
        if report.boot_id != self.boot_id:
            self._begin(report)
        elif report.sequence <= self.sequence:
            cause = "replay"
            raise PacketError(cause, f"report {report.sequence} of {self.mac.hex(':')} after {self.sequence}")
        self.sequence, self.uptime_ms, self.peer = report.sequence, report.uptime_ms, peer
        if report.oldest_held - 1 > self.safe:
            self.safe = report.oldest_held - 1
            self._tickets = {number: ticket for number, ticket in self._tickets.items() if number > self.safe}
            self._count_up()
        return True

    def lacks(self, number: int) -> bool:
        """Say whether this sample is still to be taken."""
        return self.have < number <= self.safe + MAX_UNSAFE_SAMPLES and number not in self._tickets

    def note(self, tickets: dict[int, int]) -> None:
        """Remember the inbox's ticket of each sample number, in the order in which they were put.

        A sample that was not recorded stays with the node, which sends it again: it may be adopted by then, or the
        disk have room. One that never will be is forgotten together with those before it.
        """
        for number, ticket in tickets.items():
            if ticket != NOT_NOW:
                self._tickets[number] = ticket
            self.recorded = ticket != NOT_NOW
        self._count_up()

    def advance(self, safe_ticket: int) -> bool:
        """Take in that all tickets up to this are safe; return whether more samples have become so."""
        before = self.safe
        while self._tickets.get(self.safe + 1, safe_ticket + 1) <= safe_ticket:
            self.safe += 1
            del self._tickets[self.safe]
        return self.safe > before

    def _begin(self, report: Report) -> None:
        self._challenge = report.challenge
        self.boot_id = report.boot_id
        self._boots += 1
        self.have = self.safe = 0
        self._tickets = {}

    def _count_up(self) -> None:
        self.have = max(self.have, self.safe)
        while self.have + 1 in self._tickets:
            self.have += 1
