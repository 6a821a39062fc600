"""Sends version 1 datagrams at a steady rate: run as `python -m benchmarks.sender PORT RATE NODES ACTIVE TURNS`.

Some nodes take turns, then the next. Each node's stamp moves a second at each of its turns, from well before now
to well after it, so that every datagram is a reading of its own although one node sends many in a second. Prints what
was sent as JSON.
"""

import ctypes
import json
import socket
import sys
import time

PACKET_BYTES = 12
BURST = 64
AHEAD_S = 110
"""A collector believes a stamp that is off by up to two minutes."""


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Head(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("head", _Head), ("sent", ctypes.c_uint))


def steps_of(node: int) -> int:
    """Return the current of a node's every reading, in steps of 20 mA; it holds, so energy is known exactly."""
    return 1 + node % 200


def datagram(mac: bytes, unix_s: int, steps: int) -> bytes:
    """Return a version 1 datagram of an appliance of code 1."""
    return mac + unix_s.to_bytes(4, "big") + bytes([1, steps])


def packets(nodes: int, active: int, turns: int, first_unix_s: int, rate_per_s: float) -> bytes:
    """Return the datagrams behind each other: `active` nodes send `turns` times each, then the next `active` ones."""
    rounds: list[bytes] = []
    heads = [(0x5CCF7F000000 + node).to_bytes(6, "big") for node in range(nodes)]
    tails = [bytes([1 + node % 7, steps_of(node)]) for node in range(nodes)]
    for begin in range(0, nodes, active):
        group_unix_s = first_unix_s + int(begin * turns / rate_per_s)
        group = list(zip(heads[begin : begin + active], tails[begin : begin + active], strict=True))
        for turn in range(turns):
            stamp = (group_unix_s + turn).to_bytes(4, "big")
            rounds += [head + stamp + tail for head, tail in group]
    return b"".join(rounds)


def send(port: int, rate_per_s: float, data: bytes) -> float:
    """Send all datagrams at a steady rate; returns how many seconds that took. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    count = len(data) // PACKET_BYTES
    buffer = ctypes.create_string_buffer(data, len(data))
    base = ctypes.addressof(buffer)
    vectors = (_Vector * count)(*(_Vector(base + PACKET_BYTES * number, PACKET_BYTES) for number in range(count)))
    messages = (_Message * count)()
    for number in range(count):
        messages[number].head.vectors = ctypes.pointer(vectors[number])
        messages[number].head.vector_count = 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.connect(("127.0.0.1", port))
        start_s = time.monotonic()
        done = 0
        while done < count:
            due = min(count, int((time.monotonic() - start_s) * rate_per_s) + 1)
            if due <= done:
                time.sleep(min(0.001, BURST / rate_per_s))
                continue
            sent = libc.sendmmsg(out.fileno(), ctypes.byref(messages[done]), min(due - done, BURST), 0)
            if sent < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            done += sent
        return time.monotonic() - start_s


def main(port: int, rate_per_s: float, nodes: int, active: int, turns: int) -> None:
    """Send, and say what was sent."""
    first_unix_s = int(time.time()) - AHEAD_S
    data = packets(nodes, active, turns, first_unix_s, rate_per_s)
    took_s = send(port, rate_per_s, data)
    json.dump({"sent": nodes * turns, "first_unix_s": first_unix_s, "took_s": took_s}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
