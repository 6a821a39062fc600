"""Serial ports, on pseudo-terminals."""

import asyncio
import fcntl
import grp
import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from casawatt.transports import serial_line
from casawatt.transports.serial_line import HEARD_BYTES_MAX, SerialLine, usb_adapters

TIMEOUT_S = 10.0


class Adapter:
    """Both ends of a pseudo-terminal."""

    def __init__(self) -> None:
        self.far, self.near = pty.openpty()
        self.path = os.ttyname(self.near)

    def hang_up(self) -> None:
        os.close(self.far)
        self.far = -1

    def close(self) -> None:
        for fd in (self.far, self.near):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def adapter() -> Iterator[Adapter]:
    made = Adapter()
    yield made
    made.close()


async def test_bytes_go_out_and_come_in_as_they_are(adapter: Adapter) -> None:
    everything = bytes(range(256))
    with SerialLine(adapter.path, 9600) as line:
        line.send(everything)
        assert os.read(adapter.far, 1000) == everything
        os.write(adapter.far, everything)
        heard = b""
        async with asyncio.timeout(TIMEOUT_S):
            while len(heard) < len(everything):
                heard += await line.receive()
        assert heard == everything


async def test_what_was_discarded_is_not_received(adapter: Adapter) -> None:
    with SerialLine(adapter.path, 9600) as line:
        os.write(adapter.far, b"old")
        assert line.discard() == b"old"
        assert line.discard() == b""
        os.write(adapter.far, b"new")
        async with asyncio.timeout(TIMEOUT_S):
            assert await line.receive() == b"new"


async def test_what_nobody_reads_is_kept_within_bounds_and_the_newest_stays(adapter: Adapter) -> None:
    with SerialLine(adapter.path, 9600) as line:
        line._heard += b"x" * HEARD_BYTES_MAX
        os.write(adapter.far, b"newest")
        heard = line.discard()
    assert len(heard) == HEARD_BYTES_MAX
    assert heard.endswith(b"xnewest")


async def test_an_adapter_that_is_unplugged_ends_every_wait(adapter: Adapter) -> None:
    with SerialLine(adapter.path, 9600) as line:
        waiting = asyncio.create_task(line.receive())
        await asyncio.sleep(0)
        adapter.hang_up()
        async with asyncio.timeout(TIMEOUT_S):
            with pytest.raises(ConnectionError, match=adapter.path):
                await waiting
        with pytest.raises(ConnectionError):
            line.send(b"?")
        with pytest.raises(ConnectionError):
            line.discard()


async def test_what_came_before_it_was_unplugged_is_still_received(adapter: Adapter) -> None:
    with SerialLine(adapter.path, 9600) as line:
        os.write(adapter.far, b"last words")
        async with asyncio.timeout(TIMEOUT_S):
            assert await line.receive() == b"last words"
            adapter.hang_up()
            with pytest.raises(ConnectionError, match="lost"):
                await line.receive()


async def test_a_line_that_takes_nothing_more_says_so_and_does_not_wait(adapter: Adapter) -> None:
    with SerialLine(adapter.path, 9600) as line, pytest.raises(ConnectionError, match="does not take"):
        line.send(b"x" * 1_000_000)


async def test_a_port_is_had_by_one_alone_and_again_when_it_was_given_back(adapter: Adapter) -> None:
    in_use = f"{adapter.path} is in use by another program"
    with SerialLine(adapter.path, 9600), pytest.raises(BlockingIOError, match=in_use):
        SerialLine(adapter.path, 9600)
    with SerialLine(adapter.path, 9600) as line:
        os.write(adapter.far, b"again")
        async with asyncio.timeout(TIMEOUT_S):
            assert await line.receive() == b"again"


async def test_a_port_that_was_marked_as_ones_own_is_free_again_afterwards(adapter: Adapter) -> None:
    """Linux keeps that mark for as long as anybody has the port open; only root may open it nevertheless."""
    with SerialLine(adapter.path, 9600):
        assert is_exclusive(adapter.near)
    assert not is_exclusive(adapter.near)


def is_exclusive(fd: int) -> bool:
    tiocgexcl = 0x80045440
    return fcntl.ioctl(fd, tiocgexcl, b"\0" * 4) != b"\0" * 4


async def test_a_wrong_path_is_answered_with_the_adapters_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_line, "DEVICES", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no serial port /dev/ttyUSB77.*plugged in: none"):
        SerialLine("/dev/ttyUSB77", 9600)
    (tmp_path / "serial/by-id").mkdir(parents=True)
    (tmp_path / "serial/by-id/usb-FTDI_A5").touch()
    with pytest.raises(FileNotFoundError, match=r"plugged in: .*/serial/by-id/usb-FTDI_A5"):
        SerialLine("/dev/ttyUSB77", 9600)


async def test_a_port_that_one_may_not_open_names_the_group_that_may(adapter: Adapter) -> None:
    group = grp.getgrnam("dialout")
    if as_root := os.geteuid() == 0:
        os.chown(adapter.near, 0, group.gr_gid)
    os.fchmod(adapter.near, 0o000)
    owner = group.gr_name if as_root else grp.getgrgid(os.fstat(adapter.near).st_gid).gr_name
    try:
        if as_root:
            os.seteuid(65_534)
        with pytest.raises(PermissionError, match=rf"group {owner} only.*usermod -aG {owner} USER"):
            SerialLine(adapter.path, 9600)
    finally:
        if as_root:
            os.seteuid(0)


async def test_a_file_that_is_no_serial_port_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file is not a serial port"):
        SerialLine(str(tmp_path / "file"), 9600)


async def test_the_port_is_eight_bits_without_parity_at_the_speed_asked_for(adapter: Adapter) -> None:
    with SerialLine(adapter.path, 9600):
        _, _, control, _, speed_in, speed_out, _ = termios.tcgetattr(adapter.near)
    assert control & (termios.CSIZE | termios.PARENB | termios.CSTOPB) == termios.CS8
    assert (speed_in, speed_out) == (termios.B9600, termios.B9600)


def test_adapters_are_listed_once_and_by_their_stable_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_line, "DEVICES", tmp_path)
    assert usb_adapters() == []
    for name in ("ttyUSB0", "ttyUSB1", "ttyS0"):
        (tmp_path / name).touch()
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-FTDI_FT232R_A50285BI-if00-port0").symlink_to("../../ttyUSB1")
    assert usb_adapters() == [str(by_id / "usb-FTDI_FT232R_A50285BI-if00-port0"), str(tmp_path / "ttyUSB0")]
