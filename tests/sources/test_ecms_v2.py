"""Packet version 2: what the node knows and sends, the collector takes once, in its place, and says when it is safe."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from casawatt.virtual.ecms_encode import Measured, decode_ack
from casawatt.virtual.ecms_node import measure_of_samples
from tests.fakes.clock import START_MS, ManualClock
from tests.fakes.inbox import RecordingInbox
from tests.sources.ecms_link import ADDRESS, KEY, MAC, Link, node_v2, steady

YEAR_MS = 365 * 86_400_000


def times_ms(link: Link) -> list[int]:
    return [reading.time_ms for reading in link.inbox.readings if reading.time_ms is not None]


def test_a_report_becomes_readings_with_all_that_the_node_measures() -> None:
    link = Link(node_v2(lambda _: Measured(8.7, 229.5, 0.99), appliance_code=1))
    link.live(2)
    reading = link.inbox.readings[1]
    assert reading.address == ADDRESS
    assert reading.source == "ecms_udp"
    assert reading.time_ms == START_MS + 2000
    assert (reading.current_a, reading.voltage_v, reading.power_factor_ratio) == (8.7, 229.5, 0.99)
    assert reading.charge_as == 17.4
    assert reading.boot_id == link.node.boot_id
    assert reading.power_w is None
    assert link.inbox.hints == ["washing_machine"] * 2
    assert not link.inbox.refused


def test_samples_are_taken_on_whole_multiples_of_the_period() -> None:
    node = node_v2(period_ms=10_000)
    link = Link(node)
    link.inbox.clock.advance(370)
    node.reboot(link.now_ms)
    link.live(60)
    assert times_ms(link) == [START_MS + 10_000 * n for n in range(1, 7)]


def test_nothing_is_forgotten_by_the_node_before_it_is_safe() -> None:
    link = Link(node_v2())
    link.live(30)
    assert len(link.inbox.readings) == 30
    assert link.node.held == 30
    link.inbox.make_safe(12)
    assert link.node.held == 18
    link.make_safe()
    assert link.node.held == 0


def test_lost_datagrams_lose_no_sample_and_no_charge() -> None:
    chance = random.Random(5)
    link = Link(node_v2())
    link.passes = lambda: chance.random() > 0.5
    link.live(300)
    link.passes = lambda: True
    link.live(1)
    assert max(reading.charge_as or 0 for reading in link.inbox.readings) == 2.0 * 301
    assert sorted(times_ms(link)) == [START_MS + 1000 * n for n in range(1, 302)]


def test_a_node_that_was_out_of_reach_delivers_all_it_holds() -> None:
    link = Link(node_v2())
    link.live(3)
    link.passes = lambda: False
    link.live(1000)
    link.passes = lambda: True
    link.live(6)
    assert sorted(times_ms(link)) == [START_MS + 1000 * n for n in range(1, 1010)]


def test_a_full_buffer_drops_its_oldest_and_the_register_still_tells_their_charge() -> None:
    link = Link(node_v2(buffer_samples=20))
    link.live(1)
    link.passes = lambda: False
    link.live(99)
    link.passes = lambda: True
    link.live(2)
    assert times_ms(link) == [START_MS + 1000] + [START_MS + 1000 * n for n in range(82, 103)]
    assert link.inbox.readings[-1].charge_as == 2.0 * 102
    link.make_safe()
    assert link.node.held == 0


def test_a_reboot_starts_a_new_register_and_loses_only_what_was_not_delivered() -> None:
    link = Link(node_v2())
    link.live(5)
    first_boot = link.node.boot_id
    link.node.reboot(link.now_ms)
    link.live(5)
    readings = link.inbox.readings
    assert [r.boot_id == first_boot for r in readings] == [True] * 5 + [False] * 5
    assert [r.charge_as for r in readings] == [2.0, 4.0, 6.0, 8.0, 10.0] * 2
    assert times_ms(link) == [START_MS + 1000 * n for n in range(1, 11)]
    link.make_safe()
    assert link.node.held == 0


def test_a_replayed_report_is_refused() -> None:
    link = Link(node_v2())
    link.live(5)
    for data in link.reports[1:]:
        link.inject(data)
    assert len(link.inbox.readings) == 5
    assert link.inbox.causes() == {"replay": 5}


def test_a_report_of_an_earlier_boot_is_refused_when_replayed() -> None:
    link = Link(node_v2())
    link.live(5)
    of_first_boot = list(link.reports)
    link.node.reboot(link.now_ms)
    link.live(5)
    for data in of_first_boot[1:]:
        link.inject(data)
    link.live(5)
    assert len(link.inbox.readings) == 15
    assert link.inbox.causes() == {"stale": 5}


def test_a_report_is_refused_when_replayed_to_a_collector_that_has_forgotten_it() -> None:
    link = Link(node_v2())
    link.live(5)
    link.restart_collector()
    for data in link.reports[1:]:
        link.inject(data)
    assert len(link.inbox.readings) == 5
    assert link.inbox.causes() == {"stale": 5}


def test_after_a_restart_of_the_collector_the_node_sends_again_what_is_not_safe() -> None:
    link = Link(node_v2())
    link.live(10)
    link.inbox.make_safe(4)
    link.restart_collector()
    link.live(1)
    again = [START_MS + 1000 * n for n in range(5, 12)]
    assert times_ms(link)[10:] == again
    link.make_safe()
    assert link.node.held == 0


def test_a_station_without_a_key_is_refused_and_hears_nothing() -> None:
    link = Link(node_v2())
    link.node.mac = b"\x5c\xcf\x7f\x09\x09\x09"
    link.live(1)
    assert not link.inbox.heard
    assert link.inbox.causes() == {"unknown_key": 1}
    assert not link.acks


def test_samples_from_before_the_node_knew_the_time_are_placed_where_they_belong() -> None:
    link = Link(node_v2(knows_time=False))
    link.passes = lambda: False
    link.live(20)
    link.passes = lambda: True
    link.live(1)
    assert times_ms(link) == [START_MS + 1000 * n for n in range(1, 22)]
    assert link.node.knows_time
    link.live(1)
    assert times_ms(link)[-1] == START_MS + 22_000


def test_a_node_that_learns_the_time_moves_its_samples_onto_whole_seconds() -> None:
    node = node_v2(knows_time=False)
    link = Link(node)
    link.inbox.clock.advance(370)
    node.reboot(link.now_ms)
    link.live(1)
    assert times_ms(link) == [START_MS + 1370]
    link.live(3)
    assert times_ms(link)[1:] == [START_MS + 2000, START_MS + 3000, START_MS + 4000]


def test_a_node_whose_clock_is_wrong_is_counted_and_placed_by_the_time_of_arrival() -> None:
    link = Link(node_v2(clock_error_ms=YEAR_MS))
    link.passes = lambda: False
    link.live(2)
    link.passes = lambda: True
    link.live(1)
    assert link.inbox.causes() == {"clock": 1}
    assert times_ms(link) == [START_MS + 1000, START_MS + 2000, START_MS + 3000]


def test_a_node_that_belongs_to_no_meter_is_shown_but_keeps_its_samples() -> None:
    link = Link(node_v2(), RecordingInbox(ManualClock(), adopted=set()))
    link.live(100)
    link.make_safe()
    assert link.node.held == 100
    assert len(link.inbox.heard) == 100
    ack = decode_ack(link.acks[-1], MAC, KEY)
    assert ack is not None
    assert (ack.have, ack.safe, ack.not_recorded) == (0, 0, True)


def test_a_node_that_is_adopted_later_delivers_what_it_kept() -> None:
    inbox = RecordingInbox(ManualClock(), adopted=set())
    link = Link(node_v2(), inbox)
    link.live(100)
    inbox.adopted = {ADDRESS}
    link.live(3)
    link.make_safe()
    assert sorted(times_ms(link)) == [START_MS + 1000 * n for n in range(1, 104)]
    assert link.node.held == 0


def test_a_sample_that_makes_no_sense_does_not_hold_up_the_others() -> None:
    inbox = RecordingInbox(ManualClock())
    inbox.nonsense = lambda reading: reading.current_a == 99.0
    samples = measure_of_samples([(START_MS, 1.0), (START_MS + 5000, 99.0), (START_MS + 6000, 1.0)])
    link = Link(node_v2(samples), inbox)
    link.live(10)
    inbox.make_safe(4)
    assert link.node.held == 5
    link.make_safe()
    assert len(inbox.readings) == 9
    assert link.node.held == 0


def test_a_full_disk_loses_nothing_that_the_node_still_holds() -> None:
    inbox = RecordingInbox(ManualClock())
    link = Link(node_v2(), inbox)
    link.live(10)
    link.passes = lambda: False
    link.live(5)
    link.passes = lambda: True
    inbox.full = lambda: True
    link.live(120)
    link.make_safe()
    assert link.node.held == 125
    inbox.full = lambda: False
    link.live(3)
    link.make_safe()
    assert set(times_ms(link)) == {START_MS + 1000 * n for n in range(1, 139)}
    assert link.node.held == 0


def test_a_disk_that_fills_in_the_middle_of_a_report_loses_none_of_it() -> None:
    inbox = RecordingInbox(ManualClock())
    link = Link(node_v2(), inbox)
    link.live(1)
    link.passes = lambda: False
    link.live(20)
    link.passes = lambda: True
    inbox.full = lambda: len(inbox.readings) >= 12
    link.live(60)
    inbox.full = lambda: False
    link.live(3)
    link.make_safe()
    assert set(times_ms(link)) == {START_MS + 1000 * n for n in range(1, 85)}
    assert link.node.held == 0


def test_a_disk_that_is_full_now_and_then_within_one_report_loses_none_of_it() -> None:
    inbox = RecordingInbox(ManualClock())
    puts = itertools.count()
    inbox.full = lambda: next(puts) % 2 == 0
    link = Link(node_v2(), inbox)
    link.passes = lambda: False
    link.live(30)
    link.passes = lambda: True
    link.live(60)
    inbox.full = lambda: False
    link.live(3)
    link.make_safe()
    assert set(times_ms(link)) == {START_MS + 1000 * n for n in range(1, 94)}
    assert link.node.held == 0


def test_an_unknown_appliance_is_counted_and_its_readings_taken() -> None:
    link = Link(node_v2(appliance_code=200))
    link.live(1)
    assert link.inbox.hints == [None]
    assert link.inbox.refused == {(ADDRESS, "appliance"): 1}
    silent = Link(node_v2(appliance_code=0))
    silent.live(1)
    assert silent.inbox.hints == [None]
    assert not silent.inbox.refused


def test_an_answer_is_never_longer_than_what_it_answers() -> None:
    link = Link(node_v2())
    hello = link.node._reports(link.now_ms)
    link.carry(hello)
    assert len(link.acks[0]) < len(hello[0]) == 76


def test_what_waits_for_the_disk_is_bounded() -> None:
    link = Link(node_v2(buffer_samples=70_000, datagrams_at_once=2000))
    link.live(1)
    link.inbox.clock.advance(66_000_000)
    for _ in range(3):
        link.carry(link.node.tick(link.now_ms))
        link.live(1)
    assert len(link.inbox.readings) == 65_536
    link.make_safe()
    link.live(1)
    link.make_safe()
    assert link.node.held == 0
    assert len(link.inbox.readings) == len(set(times_ms(link))) == 66_005


Step = st.tuples(
    st.sampled_from(["live", "live", "live", "make safe", "restart"]), st.integers(1, 40), st.floats(0, 0.9)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(Step, max_size=25), st.randoms(use_true_random=False))
def test_every_sample_arrives_whatever_is_lost_and_whenever_the_collector_restarts(
    steps: list[tuple[str, int, float]], chance: random.Random
) -> None:
    link = Link(node_v2(steady(1.5)))
    lived_s = 0
    for what, seconds, loss in steps:
        link.passes = lambda loss=loss: chance.random() >= loss  # type: ignore[misc]
        if what == "live":
            link.live(seconds)
            lived_s += seconds
        elif what == "make safe":
            link.make_safe()
        else:
            link.restart_collector()
    link.passes = lambda: True
    link.live(10)
    link.make_safe()
    assert set(times_ms(link)) == {START_MS + 1000 * n for n in range(1, lived_s + 11)}
    assert max(r.charge_as or 0 for r in link.inbox.readings) == 1.5 * (lived_s + 10)
    assert link.node.held == 0
