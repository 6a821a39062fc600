"""ECMS nodes without hardware. They are told the time and return the datagrams they would send; no I/O."""

import bisect
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from casawatt.virtual.ecms_encode import (
    FULL_DATAGRAM_SAMPLES,
    Measured,
    NodeAck,
    ReportHead,
    decode_ack,
    encode_report,
    encode_sample,
    encode_v1,
)

Measure = Callable[[int], Measured]
"""What the sensors show at a time in UTC ms."""

FIRMWARE = (2, 0, 0)

LONGEST_ROUND_TRIP_MS = 1000
"""An answer that took longer says too little about what the time is."""

TOLERATED_CLOCK_ERROR_MS = 500
"""A clock is not moved for less, so that samples stay evenly apart."""


class Node(Protocol):
    """What the runner and the tests ask of a node of either version."""

    @property
    def next_ms(self) -> int:
        """When it next has something to do, in UTC ms of the true time."""
        ...

    def tick(self, now_ms: int) -> list[bytes]:
        """Live on until `now_ms`; return the datagrams it sends now."""
        ...

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        """Take a datagram from the collector; return those it sends in answer."""
        ...

    def reboot(self, now_ms: int) -> None:
        """Lose everything but the settings and start again."""
        ...


def measure_of_samples(samples: Sequence[tuple[int, float]]) -> Measure:
    """Return a measure that shows each `(time_ms, current_a)` from its time on, and 0 A before the first."""
    times_ms = [time_ms for time_ms, _ in samples]

    def measure(time_ms: int) -> Measured:
        position = bisect.bisect_right(times_ms, time_ms)
        return Measured(samples[position - 1][1] if position else 0.0)

    return measure


class NodeV1:
    """A version 1 node: one packet every `period_ms`, nothing kept, nothing heard.

    `knows_time=False`: its stamp counts seconds since its start, as before it has NTP time.
    """

    def __init__(
        self,
        mac: bytes,
        measure: Measure,
        start_ms: int,
        *,
        appliance_code: int = 2,
        period_ms: int = 10_000,
        knows_time: bool = True,
    ) -> None:
        self.mac = mac
        self.knows_time = knows_time
        self.next_ms = -(-start_ms // period_ms) * period_ms
        self._measure = measure
        self._appliance_code = appliance_code
        self._period_ms = period_ms
        self._boot_ms = start_ms

    def tick(self, now_ms: int) -> list[bytes]:
        """Send what the sensor shows, if it is time; times that were slept through are lost, as on the real one."""
        if now_ms < self.next_ms:
            return []
        self.next_ms = (now_ms // self._period_ms + 1) * self._period_ms
        unix_s = (now_ms if self.knows_time else now_ms - self._boot_ms) // 1000
        return [encode_v1(self.mac, unix_s, self._appliance_code, self._measure(now_ms).current_a)]

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        """Ignore it: version 1 does not listen."""
        del data, now_ms
        return []

    def reboot(self, now_ms: int) -> None:
        """Start again."""
        self._boot_ms = now_ms


class NodeV2:
    """A version 2 node: samples every `period_ms`, kept in a buffer of `buffer_samples` until safe at the collector.

    `knows_time=False`: it starts without the time and learns it from the collector. `clock_error_ms`: by how much
    the time that it starts with is wrong. Charge is summed
    every `integrate_ms` from what `measure` shows.
    """

    def __init__(  # noqa: PLR0913 - the settings of a node, each on its own
        self,
        mac: bytes,
        key: bytes,
        measure: Measure,
        start_ms: int,
        *,
        appliance_code: int = 2,
        period_ms: int = 1000,
        integrate_ms: int = 1000,
        buffer_samples: int = 3600,
        datagrams_at_once: int = 4,
        knows_time: bool = True,
        clock_error_ms: int = 0,
        seed: int = 0,
    ) -> None:
        self.mac = mac
        self._key = key
        self._measure = measure
        self._appliance_code = appliance_code
        self._period_ms = period_ms
        self._integrate_ms = integrate_ms
        self._buffer_samples = buffer_samples
        self._datagrams_at_once = datagrams_at_once
        self._starts_with_time = knows_time
        self._clock_error_ms = clock_error_ms
        self._random = random.Random(seed)  # noqa: S311 - repeatable, and guards nothing
        self.reboot(start_ms)

    def reboot(self, now_ms: int) -> None:
        """Start again: new boot id, uptime and charge from zero, buffer empty."""
        self.boot_id = self._random.randrange(1, 2**63)
        self._boot_ms = now_ms
        self._unix_at_boot_ms = now_ms + self._clock_error_ms if self._starts_with_time else None
        self._charge_uas = 0
        self._measured_until_ms = now_ms
        self._buffer: deque[bytes] = deque()
        self._oldest = 1
        self._have = 0
        self._sequence = 0
        self._answered = 0
        self._challenge = bytes(8)
        self._is_recorded = True
        self.next_ms = self._next_sample_ms(now_ms)

    @property
    def knows_time(self) -> bool:
        """Whether it has the time, from the start or from the collector."""
        return self._unix_at_boot_ms is not None

    @property
    def held(self) -> int:
        """How many samples it holds because they are not yet safe at the collector."""
        return len(self._buffer)

    @property
    def charge_as(self) -> float:
        """The charge since it started, in ampere-seconds: what its register shows."""
        return self._charge_uas // 1000 / 1000

    def tick(self, now_ms: int) -> list[bytes]:
        """Measure until `now_ms`, take the samples that fall due, and send what the collector does not have."""
        due = False
        while self.next_ms <= now_ms:
            self._integrate(self.next_ms)
            self._keep(self.next_ms)
            self.next_ms = self._next_sample_ms(self.next_ms)
            due = True
        self._integrate(now_ms)
        return self._reports(now_ms) if due else []

    def hear(self, data: bytes, now_ms: int) -> list[bytes]:
        """Take an ack: forget what is safe, learn the time, and send again at once if asked to."""
        ack = decode_ack(data, self.mac, self._key)
        if ack is None or ack.boot_id != self.boot_id or not self._answered <= ack.sequence <= self._sequence:
            return []
        newest = self._oldest + len(self._buffer) - 1
        while self._oldest <= min(ack.safe, newest):
            self._buffer.popleft()
            self._oldest += 1
        self._answered = ack.sequence
        self._learn_time(ack, now_ms)
        self._have = 0 if ack.ask_again else min(ack.have, newest)
        challenge_is_new = ack.challenge != self._challenge
        self._challenge = ack.challenge
        if not ack.ask_again:
            self._is_recorded = not ack.not_recorded
        return self._reports(now_ms) if ack.ask_again and challenge_is_new else []

    def _learn_time(self, ack: NodeAck, now_ms: int) -> None:
        if self._starts_with_time or not ack.unix_ms or ack.sequence != self._sequence:
            return
        uptime_ms = now_ms - self._boot_ms
        round_trip_ms = uptime_ms - ack.uptime_ms
        unix_at_boot_ms = ack.unix_ms + round_trip_ms // 2 - uptime_ms
        known_ms = self._unix_at_boot_ms
        if round_trip_ms > LONGEST_ROUND_TRIP_MS:
            return
        if known_ms is not None and abs(unix_at_boot_ms - known_ms) <= TOLERATED_CLOCK_ERROR_MS:
            return
        self._unix_at_boot_ms = unix_at_boot_ms
        self.next_ms = self._next_sample_ms(now_ms)

    def _next_sample_ms(self, after_ms: int) -> int:
        """Return the next whole multiple of the period, on the clock it has: Unix time, or else its uptime."""
        fast_ms = 0 if self._unix_at_boot_ms is None else self._unix_at_boot_ms
        own_ms = after_ms - self._boot_ms + fast_ms
        return after_ms + self._period_ms - own_ms % self._period_ms

    def _integrate(self, until_ms: int) -> None:
        while self._measured_until_ms < until_ms:
            step_ms = min(self._integrate_ms, until_ms - self._measured_until_ms)
            self._charge_uas += round(self._measure(self._measured_until_ms).current_a * 1000) * step_ms
            self._measured_until_ms += step_ms

    def _keep(self, now_ms: int) -> None:
        self._buffer.append(encode_sample(now_ms - self._boot_ms, self._charge_uas // 1000, self._measure(now_ms)))
        if len(self._buffer) > self._buffer_samples:
            self._buffer.popleft()
            self._oldest += 1

    def _reports(self, now_ms: int) -> list[bytes]:
        newest = self._oldest + len(self._buffer) - 1
        first = max(self._have + 1, self._oldest) if self._is_recorded else max(newest, self._oldest)
        reports = []
        for _ in range(self._datagrams_at_once):
            position = first - self._oldest
            count = min(FULL_DATAGRAM_SAMPLES, newest - first + 1)
            samples = [self._buffer[position + n] for n in range(count)]
            reports.append(self._report(now_ms, first, samples))
            first += count
            if first > newest:
                break
        return reports

    def _report(self, now_ms: int, first: int, samples: list[bytes]) -> bytes:
        self._sequence += 1
        uptime_ms = now_ms - self._boot_ms
        head = ReportHead(
            mac=self.mac,
            boot_id=self.boot_id,
            sequence=self._sequence,
            uptime_ms=uptime_ms,
            unix_ms=0 if self._unix_at_boot_ms is None else self._unix_at_boot_ms + uptime_ms,
            challenge=self._challenge,
            oldest_held=self._oldest,
            first_sample=first,
            appliance_code=self._appliance_code,
            firmware=FIRMWARE,
        )
        return encode_report(head, samples, self._key)
