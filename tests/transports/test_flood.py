"""The flood guard; time is passed in."""

from casawatt.transports.flood import FloodGuard


def allowed(guard: FloodGuard, sender: str, monotonic_s: float, count: int) -> int:
    return sum(guard.allows(sender, monotonic_s) for _ in range(count))


def test_a_sender_may_send_a_burst_and_then_its_rate() -> None:
    guard = FloodGuard(10, burst_s=2)
    assert allowed(guard, "a", 0.0, 100) == 20
    assert allowed(guard, "a", 1.0, 100) == 10
    assert allowed(guard, "a", 100.0, 100) == 20


def test_one_senders_flood_leaves_the_others_alone() -> None:
    guard = FloodGuard(10)
    allowed(guard, "wild", 0.0, 10_000)
    assert allowed(guard, "calm", 0.0, 5) == 5


def test_any_number_of_senders_is_remembered_in_bounded_memory() -> None:
    guard = FloodGuard(1, burst_s=1, remembered=100)
    for n in range(10_000):
        guard.allows(str(n), 0.0)
    assert len(guard) == 100
    assert not guard.allows("9999", 0.0)
