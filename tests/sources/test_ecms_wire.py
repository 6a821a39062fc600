"""The source's codec and the virtual node's, each against the shared vectors, and against each other."""

import hmac
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.model.errors import PacketError
from casawatt.sources import ecms_wire_v2 as wire
from casawatt.sources.ecms_wire import mac_text, parse_v1
from casawatt.virtual.ecms_encode import (
    Measured,
    NodeAck,
    ReportHead,
    decode_ack,
    encode_report,
    encode_sample,
    encode_v1,
)
from tests.vectors import Vector, read_vectors

V1 = read_vectors("ecms_v1.txt")
V2 = read_vectors("ecms_v2.txt")
KEY = bytes(range(32))
MAC = bytes.fromhex("5ccf7f010203")


def chosen(vectors: list[Vector], kind: str | None = None, *, good: bool = True) -> list[object]:
    return [
        pytest.param(vector, id=vector["vector"][0])
        for vector in vectors
        if ("error" not in vector) == good and (kind is None or vector["type"] == [kind])
    ]


def data_of(vector: Vector, field: str = "bytes") -> bytes:
    return bytes.fromhex(vector[field][0])


def number(vector: Vector, field: str) -> int:
    return int(vector[field][0])


def sample_of(line: str) -> wire.Sample:
    uptime_ms, charge_mas, current_ma, voltage_mv, power_factor_e4 = (
        None if f == "-" else int(f) for f in line.split()
    )
    assert uptime_ms is not None
    assert charge_mas is not None
    assert current_ma is not None
    return wire.Sample(uptime_ms, charge_mas, current_ma, voltage_mv, power_factor_e4)


def report_of(vector: Vector) -> wire.Report:
    major, minor, patch = (int(part) for part in vector["firmware"][0].split("."))
    return wire.Report(
        mac=data_of(vector, "mac"),
        boot_id=number(vector, "boot_id"),
        sequence=number(vector, "sequence"),
        uptime_ms=number(vector, "uptime_ms"),
        unix_ms=number(vector, "unix_ms"),
        challenge=data_of(vector, "challenge"),
        oldest_held=number(vector, "oldest_held"),
        first_sample=number(vector, "first_sample"),
        appliance_code=number(vector, "appliance"),
        firmware=(major, minor, patch),
        samples=tuple(sample_of(line) for line in vector.get("sample", [])),
    )


def head_of(report: wire.Report) -> ReportHead:
    return ReportHead(
        report.mac,
        report.boot_id,
        report.sequence,
        report.uptime_ms,
        report.unix_ms,
        report.challenge,
        report.oldest_held,
        report.first_sample,
        report.appliance_code,
        report.firmware,
    )


def encoded(sample: wire.Sample) -> bytes:
    measured = Measured(
        sample.current_ma / 1000,
        None if sample.voltage_mv is None else sample.voltage_mv / 1000,
        None if sample.power_factor_e4 is None else sample.power_factor_e4 / 10_000,
    )
    return encode_sample(sample.uptime_ms, sample.charge_mas, measured)


@pytest.mark.parametrize("vector", chosen(V1))
def test_version_1_reads_and_writes_the_vectors(vector: Vector) -> None:
    packet = parse_v1(data_of(vector))
    assert packet.mac == data_of(vector, "mac")
    assert packet.unix_s == number(vector, "unix_s")
    assert packet.appliance_code == number(vector, "appliance")
    assert packet.current_steps == number(vector, "current_steps")
    assert encode_v1(packet.mac, packet.unix_s, packet.appliance_code, packet.current_steps / 50) == data_of(vector)


@pytest.mark.parametrize("vector", chosen(V1, good=False))
def test_version_1_refuses_the_bad_vectors(vector: Vector) -> None:
    with pytest.raises(PacketError) as caught:
        parse_v1(data_of(vector))
    assert caught.value.cause == vector["error"][0]


def test_version_1_of_a_virtual_node_wraps_as_the_real_one_does() -> None:
    assert encode_v1(MAC, 0, 1, 5.12)[11] == 0
    assert encode_v1(MAC, 0, 1, 5.10)[11] == 255
    assert encode_v1(MAC, 0, 1, 8.70)[11] == 435 - 256


@pytest.mark.parametrize("vector", chosen(V2, "report"))
def test_reports_are_read_as_the_vectors_say(vector: Vector) -> None:
    assert wire.parse_report(data_of(vector), {data_of(vector, "mac"): data_of(vector, "key")}) == report_of(vector)


@pytest.mark.parametrize("vector", chosen(V2, "report"))
def test_reports_are_written_as_the_vectors_say(vector: Vector) -> None:
    report = report_of(vector)
    assert encode_report(head_of(report), [encoded(s) for s in report.samples], data_of(vector, "key")) == data_of(
        vector
    )


@pytest.mark.parametrize("vector", chosen(V2, "report", good=False))
def test_bad_reports_are_refused_with_the_cause_the_vectors_say(vector: Vector) -> None:
    with pytest.raises(PacketError) as caught:
        wire.parse_report(data_of(vector), {data_of(vector, "mac"): data_of(vector, "key")})
    assert caught.value.cause == vector["error"][0]


@pytest.mark.parametrize("vector", chosen(V2, "ack"))
def test_acks_are_written_and_read_as_the_vectors_say(vector: Vector) -> None:
    mac, key, flags = data_of(vector, "mac"), data_of(vector, "key"), number(vector, "flags")
    names = ("boot_id", "sequence", "uptime_ms", "unix_ms")
    boot_id, sequence, uptime_ms, unix_ms = (number(vector, name) for name in names)
    challenge, have, safe = data_of(vector, "challenge"), number(vector, "have"), number(vector, "safe")
    ack = wire.Ack(mac, boot_id, sequence, uptime_ms, unix_ms, challenge, have, safe, flags)
    assert wire.encode_ack(ack, key) == data_of(vector)
    assert decode_ack(data_of(vector), mac, key) == NodeAck(
        boot_id, sequence, uptime_ms, unix_ms, challenge, have, safe, bool(flags & 1), bool(flags & 2)
    )


samples_at = st.builds(
    wire.Sample,
    uptime_ms=st.integers(0, 10**6),
    charge_mas=st.integers(0, 2**48 - 1),
    current_ma=st.integers(0, 10**8),
    voltage_mv=st.none() | st.integers(0, 10**6),
    power_factor_e4=st.none() | st.integers(0, 10_000),
)
reports = st.builds(
    wire.Report,
    mac=st.just(MAC),
    boot_id=st.integers(1, 2**63 - 1),
    sequence=st.integers(1, 2**32 - 1),
    uptime_ms=st.integers(10**6, 2**48 - 1),
    unix_ms=st.integers(0, 2**64 - 1),
    challenge=st.binary(min_size=8, max_size=8),
    oldest_held=st.integers(1, 1000),
    first_sample=st.integers(1000, 2**31),
    appliance_code=st.integers(0, 255),
    firmware=st.tuples(*[st.integers(0, 255)] * 3),
    samples=st.lists(samples_at, max_size=wire.MAX_SAMPLES).map(tuple),
)


@given(reports)
def test_what_a_node_writes_is_what_the_source_reads(report: wire.Report) -> None:
    data = encode_report(head_of(report), [encoded(s) for s in report.samples], KEY)
    assert len(data) <= wire.MAX_BYTES
    assert wire.parse_report(data, {MAC: KEY}) == report


def test_a_byte_changed_anywhere_is_refused() -> None:
    for data in (data_of(vector) for vector in V2 if vector["vector"] == ["one-sample-current-only"]):
        for position in range(len(data)):
            for bit in range(8):
                changed = bytearray(data)
                changed[position] ^= 1 << bit
                with pytest.raises(PacketError):
                    wire.parse_report(bytes(changed), {MAC: KEY})


def test_an_ack_with_a_byte_changed_anywhere_is_ignored() -> None:
    data = wire.encode_ack(wire.Ack(MAC, 5, 1, 2, 3, b"challeng", 9, 8, 0), KEY)
    assert decode_ack(data, MAC, KEY) is not None
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        assert decode_ack(bytes(changed), MAC, KEY) is None


signed_nonsense = st.binary(min_size=60, max_size=1184).map(lambda body: b"CW\x02\x01" + MAC + body[10:])


@given(st.binary(max_size=1300) | st.binary(max_size=1300).map(lambda body: b"CW\x02\x01" + MAC + body))
def test_no_bytes_raise_anything_but_a_packet_error(data: bytes) -> None:
    with pytest.raises(PacketError):
        wire.parse_report(data, {MAC: KEY})


@given(signed_nonsense)
def test_no_signed_nonsense_raises_anything_but_a_packet_error(data: bytes) -> None:

    signed = data + hmac.digest(KEY, data, "sha256")[: wire.TAG_BYTES]
    try:
        report = wire.parse_report(signed, {MAC: KEY})
    except PacketError as error:
        assert error.cause == "malformed"  # noqa: PT017 - some nonsense makes sense
    else:
        assert report.mac == MAC


@given(st.binary(max_size=120))
def test_no_bytes_are_taken_for_an_ack(data: bytes) -> None:
    assert decode_ack(data, MAC, KEY) is None


def test_a_mac_is_written_with_colons() -> None:
    assert mac_text(MAC) == "5c:cf:7f:01:02:03"


def test_the_example_in_the_document_is_the_vector() -> None:
    text = (Path(__file__).parents[2] / "docs" / "wire" / "ecms-v2.md").read_text(encoding="utf-8")
    example = text.partition("## One report, byte by byte")[2]
    lines = [line.strip() for line in example.splitlines() if line.startswith("    ")]
    shown = "".join("".join(re.findall(r"\b[0-9a-f]{2}\b(?= |$)", re.split(r" {3,}|  tag", line)[0])) for line in lines)
    (vector,) = (vector for vector in V2 if vector["vector"] == ["one-sample-current-only"])
    assert shown == vector["bytes"][0]
