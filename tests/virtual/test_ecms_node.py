"""Virtual nodes on their own: what they send and keep, and which acks they believe."""

from casawatt.sources.ecms_wire_v2 import Ack, encode_ack, parse_report
from casawatt.virtual.ecms_encode import Measured
from casawatt.virtual.ecms_node import NodeV1, NodeV2, measure_of_samples
from tests.fakes.clock import START_MS

MAC = bytes.fromhex("5ccf7f010203")
KEY = bytes(range(32))
CHALLENGE = b"12345678"


def two_amperes(_: int) -> Measured:
    return Measured(2.0)


def node_v2(**options: object) -> NodeV2:
    return NodeV2(MAC, KEY, two_amperes, START_MS, **options)  # type: ignore[arg-type]


def ack(node: NodeV2, sequence: int, *, have: int = 0, safe: int = 0, uptime_ms: int = 0, unix_ms: int = 0) -> bytes:
    return encode_ack(Ack(MAC, node.boot_id, sequence, uptime_ms, unix_ms, CHALLENGE, have, safe, 0), KEY)


def lived(node: NodeV2, seconds: int) -> list[bytes]:
    return [data for second in range(1, seconds + 1) for data in node.tick(START_MS + 1000 * second)]


def test_samples_given_as_a_list_hold_until_the_next() -> None:
    measure = measure_of_samples([(100, 1.0), (200, 2.0)])
    assert [measure(t).current_a for t in (99, 100, 199, 200, 10_000)] == [0.0, 1.0, 1.0, 2.0, 2.0]


def test_a_version_1_node_that_slept_sends_one_packet_and_goes_on_in_step() -> None:
    node = NodeV1(MAC, two_amperes, START_MS + 1)
    assert node.next_ms == START_MS + 10_000
    assert len(node.tick(START_MS + 35_000)) == 1
    assert node.next_ms == START_MS + 40_000
    assert node.hear(b"anything", START_MS) == []


def test_the_register_counts_what_flowed_between_samples_too() -> None:
    pulse = measure_of_samples([(START_MS + 2000, 10.0), (START_MS + 5000, 0.0)])
    node = NodeV2(MAC, KEY, pulse, START_MS, period_ms=10_000, integrate_ms=500)
    (data,) = node.tick(START_MS + 10_000)
    (sample,) = parse_report(data, {MAC: KEY}).samples
    assert (sample.current_ma, sample.charge_mas) == (0, 30_000)
    assert node.charge_as == 30.0


def test_each_report_has_a_higher_sequence_and_all_that_is_unheard() -> None:
    reports = [parse_report(data, {MAC: KEY}) for data in lived(node_v2(), 3)]
    assert [report.sequence for report in reports] == [1, 2, 3]
    assert [len(report.samples) for report in reports] == [1, 2, 3]
    assert {report.first_sample for report in reports} == {1}


def test_an_ack_of_another_boot_or_of_the_future_or_overtaken_is_not_believed() -> None:
    node = node_v2()
    lived(node, 5)
    other = node_v2(seed=1)
    for data in (ack(other, 5, safe=5), ack(node, 6, safe=5), b"noise"):
        node.hear(data, START_MS + 5000)
    assert node.held == 5
    node.hear(ack(node, 5, have=5, safe=3), START_MS + 5000)
    node.hear(ack(node, 4, have=5, safe=5), START_MS + 5000)
    assert node.held == 2


def test_an_ack_beyond_the_newest_sample_frees_no_more_than_there_is() -> None:
    node = node_v2()
    lived(node, 5)
    node.hear(ack(node, 5, have=900, safe=900), START_MS + 5000)
    assert node.held == 0
    (data,) = node.tick(START_MS + 6000)
    assert parse_report(data, {MAC: KEY}).first_sample == 6


def test_the_time_is_taken_only_from_the_answer_to_the_newest_report_and_only_when_it_was_quick() -> None:
    node = node_v2(knows_time=False)
    lived(node, 5)
    node.hear(ack(node, 4, uptime_ms=4000, unix_ms=START_MS + 4000), START_MS + 5000)
    assert not node.knows_time
    node.hear(ack(node, 5, uptime_ms=5000, unix_ms=START_MS + 5000), START_MS + 6500)
    assert not node.knows_time
    node.hear(ack(node, 5, uptime_ms=5000, unix_ms=START_MS + 5010), START_MS + 5020)
    assert parse_report(node.tick(START_MS + 6000)[0], {MAC: KEY}).unix_ms == START_MS + 6000


def test_a_clock_that_is_nearly_right_is_left_alone_and_one_that_is_not_is_set() -> None:
    node = node_v2(knows_time=False)
    lived(node, 1)
    node.hear(ack(node, 1, uptime_ms=1000, unix_ms=START_MS + 1000), START_MS + 1000)
    node.hear(ack(node, 1, uptime_ms=1000, unix_ms=START_MS + 1300), START_MS + 1000)
    assert parse_report(node.tick(START_MS + 2000)[0], {MAC: KEY}).unix_ms == START_MS + 2000
    node.hear(ack(node, 2, uptime_ms=2000, unix_ms=START_MS + 9000), START_MS + 2000)
    assert parse_report(node.tick(START_MS + 3000)[0], {MAC: KEY}).unix_ms == START_MS + 10_000


def test_a_reboot_begins_everything_afresh() -> None:
    node = node_v2()
    lived(node, 5)
    before = node.boot_id
    node.reboot(START_MS + 5500)
    assert node.boot_id != before
    assert (node.held, node.charge_as, node.next_ms) == (0, 0.0, START_MS + 6000)
    report = parse_report(node.tick(START_MS + 6000)[0], {MAC: KEY})
    assert (report.sequence, report.first_sample, report.uptime_ms, report.samples[0].charge_mas) == (1, 1, 500, 1000)
