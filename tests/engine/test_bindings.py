"""Which device measures for which meter, whatever was decided and taken back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.engine.bindings import SLACK_MS, Holding, displaced
from casawatt.engine.spans import covers, union, without
from casawatt.model.dated import Bind
from casawatt.model.meter import Binding, Device

DEVICES = [Device(number, "nodes", f"a{number}") for number in range(4)]

decision = st.tuples(st.integers(1, 3), st.sampled_from(DEVICES), st.integers(0, 8), st.booleans())
"""A meter, a device, from when on, and whether it was taken back."""


def binds_of(decisions: list[tuple[int, Device, int, bool]]) -> list[Bind]:
    return [
        Bind(number, meter, device, from_ms, made_ms=10 * number, retracted_ms=10 * number + 5 if gone else None)
        for number, (meter, device, from_ms, gone) in enumerate(decisions, 1)
    ]


def owner(binds: list[Bind], device: Device, time_ms: int) -> int | None:
    """Return the meter that a device measures for at an instant: told anew for this one instant."""
    held: dict[int, tuple[int, Bind]] = {}  # by meter: since when, and by which decision
    for bind in binds:
        if bind.retracted_ms is not None or bind.from_ms > time_ms:
            continue
        held = {meter: kept for meter, kept in held.items() if kept[1].device != bind.device}
        held[bind.meter_id] = bind.from_ms, bind
    return next((meter for meter, (_, bind) in held.items() if bind.device == device), None)


@settings(max_examples=300, derandomize=True)
@given(st.lists(decision, max_size=8), st.integers(0, 9), st.sampled_from(DEVICES))
def test_at_each_instant_the_last_decision_that_stands_says_who_measures(
    decisions: list[tuple[int, Device, int, bool]], time_ms: int, device: Device
) -> None:
    binds = binds_of(decisions)
    held = [
        each.meter_id
        for each in Holding(binds).of_device(device.device_id)
        if each.from_ms <= time_ms and (each.to_ms is None or time_ms < each.to_ms)
    ]
    wanted = owner(binds, device, time_ms)
    assert held == ([] if wanted is None else [wanted])


def test_a_binding_keeps_what_lies_before_the_one_that_ends_it() -> None:
    old, new = DEVICES[:2]
    holding = Holding([Bind(1, 1, old, 1000, 1), Bind(2, 1, new, 5000, 2)])
    assert holding.of_meter(1) == [Binding(1, 1, old, 1000, 5000, 1), Binding(2, 1, new, 5000, None, 2)]
    assert holding.all() == holding.of_meter(1)


def test_a_device_that_was_replaced_at_once_is_watched_for_stamps_ahead_of_the_clock_only() -> None:
    old, new = DEVICES[:2]
    binds = [Bind(1, 1, old, 0, made_ms=1000), Bind(2, 1, new, 5000, made_ms=5000)]
    assert displaced(binds, 1) == [(old.device_id, (5000, 5000 + SLACK_MS))]
    assert displaced(binds[:1], 1) == []


def test_what_the_old_device_said_after_a_change_dated_back_does_not_count() -> None:
    old, new = DEVICES[:2]
    binds = [Bind(1, 1, old, 0, made_ms=1000), Bind(2, 1, new, 5000, made_ms=90_000)]
    assert displaced(binds, 1) == [(old.device_id, (5000, 90_000 + SLACK_MS))]


def test_what_was_imported_counts_whichever_device_measures() -> None:
    imported, plug = Device(8, "import", "fridge"), DEVICES[0]
    binds = [Bind(1, 1, imported, 0, made_ms=1000), Bind(2, 1, plug, 5000, made_ms=90_000)]
    assert displaced(binds, 1) == []


def test_after_a_change_was_taken_back_the_new_device_does_not_count_and_the_old_one_does() -> None:
    old, new = DEVICES[:2]
    binds = [Bind(1, 1, old, 0, made_ms=1000), Bind(2, 1, new, 5000, made_ms=90_000, retracted_ms=95_000)]
    assert displaced(binds, 1) == [(new.device_id, (5000, 95_000 + SLACK_MS))]


def test_a_device_that_was_moved_counts_for_neither_where_it_measures_no_longer() -> None:
    plug, other = DEVICES[:2]
    binds = [Bind(1, 1, plug, 0, 1000), Bind(2, 2, other, 0, 1001), Bind(3, 2, plug, 5000, 90_000)]
    assert displaced([binds[0], binds[2]], 1) == [(plug.device_id, (5000, 90_000 + SLACK_MS))]
    assert displaced(binds, 2) == [(other.device_id, (5000, 90_000 + SLACK_MS))]


span = st.tuples(st.integers(0, 20), st.integers(0, 20))


@settings(max_examples=200, derandomize=True)
@given(st.lists(span), st.lists(span), st.integers(-1, 21))
def test_spans_are_sets_of_instants(first: list[tuple[int, int]], second: list[tuple[int, int]], at: int) -> None:
    def inside(spans: list[tuple[int, int]]) -> bool:
        return any(start <= at < end for start, end in spans)

    assert covers(union(first), at) == inside(first)
    assert covers(without(union(first), union(second)), at) == (inside(first) and not inside(second))
