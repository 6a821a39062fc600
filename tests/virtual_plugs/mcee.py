"""An MCEE meter on a pseudo-terminal, in a thread of its own, that can misbehave in every way that serial lines do."""

import array
import contextlib
import fcntl
import os
import pty
import select
import termios
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

POLL = b"\xaa\x02\x00\xad"
HEAD, TAIL = b"\x02\x41\x10", b"S0344\x07\x12\x03"
"""Other fields of an answer. What they mean is not known; that there are some is."""

Pieces = Sequence[bytes]
"""An answer in the pieces in which it arrives; none is no answer."""


def answer(power_w: int, *, value_bytes: int = 2) -> bytes:
    """Return a whole answer, the power as one or two bytes."""
    return HEAD + b"S0222" + power_w.to_bytes(value_bytes, "little") + b"1S03" + TAIL


class VirtualMcee:
    """The meter and its adapter: `link` is a symlink to the port, as in /dev/serial/by-id.

    It answers only to exactly the four bytes of the poll, and only at 9600 baud 8N1; what else it is sent it keeps
    in `unexpected`. `power_w()` is what it measures. `next_answers` go out in its place, one a poll.
    """

    def __init__(self, link: Path, power_w: Callable[[], int] = lambda: 230) -> None:
        self.link = link
        self.power_w = power_w
        self.next_answers: deque[Pieces] = deque()
        self.unexpected = b""
        self.polls = 0
        self.polled = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Plug it in."""
        self.plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        """Pull it out."""
        self.unplug()

    def plug_in(self) -> None:
        """Make the port, and the link to it."""
        self._meter, self._port = pty.openpty()
        self._stop_read, self._stop_write = os.pipe()
        self.device = Path(os.ttyname(self._port))
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.symlink_to(self.device)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Hang up on whoever has the port open, and take the link away. Does nothing when it is out already."""
        if self._thread is None:
            return
        os.write(self._stop_write, b"!")
        self._thread.join()
        self._thread = None
        self.link.unlink()
        for fd in (self._meter, self._port, self._stop_read, self._stop_write):
            os.close(fd)

    def say(self, unasked: bytes) -> None:
        """Say something that nobody asked for."""
        os.write(self._meter, unasked)

    def _serve(self) -> None:
        heard = b""
        while not self._stopped(0.0):
            readable, _, _ = select.select([self._meter, self._stop_read], [], [])
            if self._meter not in readable:
                return
            heard += os.read(self._meter, 4096)
            while POLL in heard:
                before, _, heard = heard.partition(POLL)
                self.unexpected += before
                self._answer()
            if not POLL.startswith(heard):
                self.unexpected += heard
                heard = b""

    def _answer(self) -> None:
        if not self._is_set_up():
            return
        self.polls += 1
        pieces = self.next_answers.popleft() if self.next_answers else [answer(self.power_w())]
        for number, piece in enumerate(pieces):
            while number and self._unread() and not self._stopped(0.001):
                pass
            os.write(self._meter, piece)
            self.polled.set()

    def _is_set_up(self) -> bool:
        """Return whether the port is at 9600 baud, 8 data bits, no parity, one stop bit, and hands bytes through."""
        input_flags, _, control, local, *speeds, _ = termios.tcgetattr(self._port)
        eight_n_one = control & (termios.CSIZE | termios.PARENB | termios.CSTOPB) == termios.CS8
        raw = not local & (termios.ICANON | termios.ECHO) and not input_flags & (termios.ICRNL | termios.IXON)
        return eight_n_one and raw and speeds == [termios.B9600, termios.B9600]

    def _unread(self) -> int:
        count = array.array("i", [0])
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._port, termios.FIONREAD, count)
        return count[0]

    def _stopped(self, wait_s: float) -> bool:
        return bool(select.select([self._stop_read], [], [], wait_s)[0])
