"""A limit to how much each sender may send, so that one gone wild cannot drown the others."""

REMEMBERED_SENDERS = 1024
"""How many senders are kept in mind; beyond that the one known longest is forgotten and starts afresh."""


class FloodGuard:
    """A token bucket for each sender: `rate_per_s` over time, and up to `burst_s` seconds' worth at once."""

    def __init__(self, rate_per_s: float, burst_s: float = 2.0, remembered: int = REMEMBERED_SENDERS) -> None:
        self._rate_per_s = rate_per_s
        self._full = max(1.0, rate_per_s * burst_s)
        self._remembered = remembered
        self._buckets: dict[str, list[float]] = {}

    def allows(self, sender: str, monotonic_s: float) -> bool:
        """Count one datagram of `sender` at `monotonic_s`; return False if it is too many."""
        bucket = self._buckets.get(sender)
        if bucket is None:
            if len(self._buckets) >= self._remembered:
                del self._buckets[next(iter(self._buckets))]
            self._buckets[sender] = [self._full - 1.0, monotonic_s]
            return True
        tokens = min(self._full, bucket[0] + (monotonic_s - bucket[1]) * self._rate_per_s)
        bucket[1] = monotonic_s
        if tokens < 1.0:
            bucket[0] = tokens
            return False
        bucket[0] = tokens - 1.0
        return True

    def __len__(self) -> int:
        """How many senders are kept in mind; at most `remembered`."""
        return len(self._buckets)
