"""What the answers of an MCEE meter mean."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casawatt.model.errors import PacketError
from casawatt.model.meter import Cadence
from casawatt.sources.mcee_serial import ANSWER, ANSWER_BYTES_MAX, BEGIN, END, Config, parse
from tests.virtual_plugs.mcee import answer

CAPTURES = Path(__file__).parents[1] / "captures" / "mcee_serial"


def captured() -> list[tuple[str, bytes]]:
    """Return what should become of each captured answer, and its bytes."""
    lines = [line for path in CAPTURES.glob("*.txt") for line in path.read_text().splitlines()]
    split = [line.partition(" ") for line in lines if not line.startswith("#")]
    return [(outcome, bytes.fromhex(digits)) for outcome, _, digits in split]


def outcome_of(heard: bytes) -> str:
    try:
        return ",".join(f"{power_w:.0f}" for power_w in parse(heard))
    except PacketError as error:
        return error.cause


@pytest.mark.parametrize(
    ("outcome", "heard"), captured(), ids=lambda value: value if isinstance(value, str) else value.hex()[:24]
)
def test_every_captured_answer_is_understood_or_refused_as_noted(outcome: str, heard: bytes) -> None:
    assert outcome_of(heard) == outcome


def test_every_value_is_read_as_it_was_written() -> None:
    for power_w in range(65_536):
        assert parse(answer(power_w)) == [power_w]
    for power_w in range(256):
        assert parse(answer(power_w, value_bytes=1)) == [power_w]


@pytest.mark.parametrize("cut", range(1, len(answer(2635)) - 7))
def test_an_answer_cut_anywhere_is_refused_with_what_was_heard(cut: int) -> None:
    whole = answer(2635)
    end = whole.index(END) + len(END)
    if cut >= end:
        assert parse(whole[:cut]) == [2635]
        return
    with pytest.raises(PacketError, match=whole[:cut].hex(" ")):
        parse(whole[:cut])


def test_much_that_holds_no_answer_is_refused_in_a_short_text() -> None:
    with pytest.raises(PacketError, match=f"{ANSWER_BYTES_MAX + 1} bytes") as refusal:
        parse(b"\xff" * (ANSWER_BYTES_MAX + 1))
    assert refusal.value.cause == "babble"
    assert len(str(refusal.value)) < 300


NOISE = st.binary(max_size=40) | st.lists(
    st.sampled_from([BEGIN, END, b"S", b"S0", b"1", b"1S", b"222", b"\x00", b"\xff"]), max_size=8
).map(b"".join)
ANSWERS = st.builds(answer, st.integers(0, 65_535)) | st.builds(
    lambda power_w: answer(power_w, value_bytes=1), st.integers(0, 255)
)


@given(st.lists(NOISE | ANSWERS, max_size=6).map(b"".join))
def test_noise_raises_nothing_but_a_packet_error_and_no_value_that_was_not_between_the_markers(heard: bytes) -> None:
    outcome = outcome_of(heard)
    if outcome not in {"no_answer", "cut", "length", "format", "babble"}:
        for power_w in map(int, outcome.split(",")):
            value = power_w.to_bytes(2, "little")
            shorter = [value[:1]] if value[1] == 0 else []
            assert any(BEGIN + between + END in heard for between in (value, *shorter))


@given(st.lists(NOISE | ANSWERS, max_size=6).map(b"".join), st.lists(st.integers(0, 300), max_size=10))
@example(answer(49, value_bytes=1) + answer(21_297), list(range(60)))
def test_the_same_is_found_in_whatever_pieces_it_arrives(heard: bytes, cuts: list[int]) -> None:
    whole = [match.span() for match in ANSWER.finditer(heard)]
    for cut in {*cuts, len(heard)}:
        arrived = [match.span() for match in ANSWER.finditer(heard[:cut])]
        assert arrived == [span for span in whole if span[1] <= cut]


def test_the_gap_limit_follows_the_poll_unless_it_is_set() -> None:
    assert Config().traits.gap_limit_ms == 15_000
    assert Config(poll_s=60).traits.gap_limit_ms == 180_000
    assert Config(gap_limit_s=20).traits.gap_limit_ms == 20_000
    assert Config().traits.cadence is Cadence.POLLED


@pytest.mark.parametrize(
    "options", [{"poll_s": 0}, {"poll_s": 2}, {"answer_timeout_s": 5}, {"gap_limit_s": 5}, {"address": ""}, {"baud": 1}]
)
def test_options_that_cannot_be_are_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Config)
