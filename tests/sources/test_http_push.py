"""Tokens, traits and readings of the push source."""

from pathlib import Path

import msgspec
import pytest

from casawatt.model.errors import ConfigError
from casawatt.model.meter import Cadence
from casawatt.model.reading import Reading
from casawatt.sources.http_push import TOKENS, Config, digest, load_senders, parse
from casawatt.transports.push import Desk, DeskClosedError, PushedReading

A, B = "a" * 32, "b" * 32


def written(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "tokens.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return str(file)


def test_senders_come_from_the_file_and_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, f'"garage-pi" = "{A}"\n')
    assert load_senders(file, {TOKENS: f"boiler={B}"}) == {digest(A): "garage-pi", digest(B): "boiler"}
    assert load_senders(None, {TOKENS: f"boiler={B}"}) == {digest(B): "boiler"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'"Garage" = "{A}"', "cannot name a sender"),
        (f'"a/b" = "{A}"', "cannot name a sender"),
        ('garage = "short-secret"', "at least 32"),
        ("garage = 5", "at least 32"),
        (f'garage = "{A}"\nboiler = "{A}"', "same token"),
        ("", "nobody could send"),
    ],
)
def test_a_line_that_is_wrong_is_named_without_showing_a_token(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_senders(written(tmp_path, text), {})
    assert A not in str(caught.value)
    assert "short-secret" not in str(caught.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        load_senders(written(tmp_path, f'garage = "{A}"', 0o644), {})


@pytest.mark.parametrize("text", [A, f"garage={A} garage={B}", f"=x{A}"])
def test_an_environment_that_is_wrong_is_refused_without_showing_a_token(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_senders(None, {TOKENS: text})
    assert A not in str(caught.value)


def test_a_pushed_reading_is_the_reading_that_was_said() -> None:
    pushed = PushedReading(address="pump", time_ms=5, power_w=1.0, register_wh=2.0, voltage_v=3.0, current_a=4.0)
    assert parse("garage", pushed, 9) == Reading(
        source="http_push",
        address="garage/pump",
        received_ms=9,
        time_ms=5,
        power_w=1.0,
        register_wh=2.0,
        voltage_v=3.0,
        current_a=4.0,
    )
    assert parse("garage", PushedReading(power_w=1.0), 9).address == "garage"


def test_single_devices_may_differ_from_the_rest() -> None:
    options = {"gap_limit_s": 30, "device": {"garage/pump": {"cadence": "change", "limit_w": 3000}}}
    config = msgspec.convert(options, Config)
    assert (config.traits.cadence, config.traits.gap_limit_ms) == (Cadence.POLLED, 30_000)
    assert config.traits_of("garage/other") == config.traits
    pump = config.traits_of("garage/pump")
    assert (pump.cadence, pump.gap_limit_ms, pump.limit_w) == (Cadence.CHANGE, 30_000, 3000.0)
    assert config.traits.clock_tolerance_ms is None


@pytest.mark.parametrize(
    "options", [{"gap_limit_s": 0}, {"max_requests_per_s": 0}, {"device": {"a": {"colour": 1}}}, {"tokens": {}}]
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Config)


async def test_a_desk_that_nobody_attends_is_closed() -> None:
    with pytest.raises(DeskClosedError):
        Desk().sender("x", "here")
    with pytest.raises(DeskClosedError):
        await Desk().submit("x", [])
