"""Counts of what could not be used, by source, sender and cause."""

import logging
from collections import Counter
from typing import NamedTuple

log = logging.getLogger(__name__)

SENDERS_KEPT = 1000
"""Beyond so many senders, further ones are counted together: forged senders must not fill the memory."""

OTHERS = "others"


class Refusal(NamedTuple):
    """What was refused: of which source, from whom, and why in one fixed word."""

    source: str
    sender: str
    cause: str


class Refusals:
    """Counts each refusal and logs the first of its kind."""

    def __init__(self) -> None:
        self.counts: Counter[Refusal] = Counter()
        self._senders: set[tuple[str, str]] = set()

    def add(self, source: str, sender: str, cause: str, detail: str) -> None:
        """Count one refusal; the first of its source, sender and cause is logged with `detail`."""
        if (source, sender) not in self._senders:
            if len(self._senders) >= SENDERS_KEPT:
                sender = OTHERS
            self._senders.add((source, sender))
        refusal = Refusal(source, sender, cause)
        self.counts[refusal] += 1
        if self.counts[refusal] == 1:
            log.warning(
                "%s: %s from %s: %s (further ones are only counted; see `casawatt doctor`)",
                source,
                cause,
                sender,
                detail,
            )
