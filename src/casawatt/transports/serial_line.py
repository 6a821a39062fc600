"""Serial ports: bytes out, and bytes in as they come, without ever blocking. Nothing of what they mean."""

import asyncio
import contextlib
import errno
import fcntl
import grp
import os
import select
import termios
from pathlib import Path
from typing import Self

import serial

DEVICES = Path("/dev")
"""Where the system lists its devices."""

HEARD_BYTES_MAX = 64 * 1024
"""So much waits for its reader; of more, the oldest is dropped."""

READ_BYTES = 4096


class SerialLine:
    """An open serial port: 8 data bits, no parity, one stop bit, and nobody else on it.

    Use it as a context manager inside a running event loop. Making it raises OSError when the port cannot be had;
    the text says what a person can do. It listens from entering on, also while nobody reads.
    """

    def __init__(self, path: str, baud: int) -> None:
        self.path = path
        self._port = _opened(path, baud)
        self._fd: int = self._port.fileno()
        self._loop = asyncio.get_running_loop()
        self._heard = bytearray()
        self._changed = asyncio.Event()
        self._lost: str | None = None

    def __enter__(self) -> Self:
        """Start to listen."""
        self._loop.add_reader(self._fd, self._drain)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the port back. What was not sent yet is dropped: a dead adapter would make the closing wait for it."""
        self._loop.remove_reader(self._fd)
        with contextlib.suppress(OSError, termios.error):
            fcntl.ioctl(self._fd, termios.TIOCNXCL)
            self._port.reset_output_buffer()
        with contextlib.suppress(OSError):
            self._port.close()

    def send(self, data: bytes) -> None:
        """Send a few bytes; raises ConnectionError when the adapter has gone or does not take them."""
        self._check()
        try:
            taken = os.write(self._fd, data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            self._lose(str(error.strerror))
            self._check()
        if taken != len(data):
            message = f"{self.path} does not take what is sent to it"
            raise ConnectionError(message)

    async def receive(self) -> bytes:
        """Return what has come since the last call, at least one byte, as soon as there is any.

        Raises ConnectionError when the adapter has gone.
        """
        while not self._heard:
            self._check()
            self._changed.clear()
            await self._changed.wait()
        return self._taken()

    def discard(self) -> bytes:
        """Return what has come and nobody has read; it will not be received. Raises ConnectionError as `receive`."""
        self._drain()
        self._check()
        return self._taken()

    def _taken(self) -> bytes:
        heard = bytes(self._heard)
        self._heard.clear()
        return heard

    def _drain(self) -> None:
        try:
            while chunk := os.read(self._fd, READ_BYTES):
                self._heard += chunk
                del self._heard[:-HEARD_BYTES_MAX]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(str(error.strerror))
        if _is_hung_up(self._fd):  # nothing to read means nothing by itself: a port gives nothing when nothing came
            self._lose("the adapter was unplugged")
        self._changed.set()

    def _lose(self, why: str) -> None:
        self._loop.remove_reader(self._fd)
        self._lost = self._lost or f"{self.path}: the line was lost: {why}"
        self._changed.set()

    def _check(self) -> None:
        if self._lost is not None:
            raise ConnectionError(self._lost)


def usb_adapters() -> list[str]:
    """Return the paths of the USB serial adapters that are plugged in.

    By the name that stays the same whichever socket they are in, where the system gives one.
    """
    stable = sorted((DEVICES / "serial" / "by-id").glob("*"))
    named = {path.resolve() for path in stable}
    plain = [path for path in sorted(DEVICES.glob("ttyUSB*")) if path.resolve() not in named]
    return [str(path) for path in (*stable, *plain)]


def _is_hung_up(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, 0)
    return any(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, events in poll.poll(0))


def _opened(path: str, baud: int) -> serial.Serial:
    """Return the open port, locked against other programs in both ways that they may look for."""
    try:
        port = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error
    with contextlib.suppress(OSError):
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    return port


def _refusal(path: str, error: Exception) -> OSError:
    """Return the error for a port that cannot be opened, in words for the person who has to do something."""
    number = error.errno if isinstance(error, OSError) else None
    match number:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            others = ", ".join(usb_adapters()) or "none"
            return FileNotFoundError(f"there is no serial port {path}; adapters that are plugged in: {others}")
        case errno.EACCES | errno.EPERM:
            group = _group_of(path)
            how = f"`sudo usermod -aG {group} USER` lets a user in, from the next login or start of the service on"
            return PermissionError(f"{path} may be opened by the group {group} only; {how}")
        case errno.EBUSY | errno.EAGAIN:
            return BlockingIOError(f"{path} is in use by another program; `fuser -v {path}` says by which")
        case None:
            return OSError(f"{path} is not a serial port: {error}")
    return OSError(f"{path} cannot be opened: {os.strerror(number)}")


def _group_of(path: str) -> str:
    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
