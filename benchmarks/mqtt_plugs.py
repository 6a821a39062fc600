"""Plugs that report by MQTT at a steady rate: run as `python -m benchmarks.mqtt_plugs PORT PLUGS RATE TURNS`.

Each has a connection of its own and sends at QoS 1, one after the other. A plug's stamp moves a second at each of its
turns, from two days ago on, so that every message is a reading of its own although a plug may send many in a second.
Prints what was sent, and how long it took until the broker had acknowledged all, as JSON.
"""

import asyncio
import json
import sys
import time

from benchmarks.peers import mac_of

TOPIC = "energy_consumption"
AGO_S = 172_800
ACKNOWLEDGEMENT_BYTES = 4
WELCOME_BYTES = 4


def current_a(plug: int) -> float:
    """Return the current of a plug's every reading; it holds, so that each reading can be checked."""
    return (1 + plug % 200) * 0.02


def hello(plug: int) -> bytes:
    """Return what a plug opens its connection with: CONNECT of MQTT 3.1.1."""
    name = f"plug-{plug}".encode()
    return bytes([0x10, 12 + len(name), 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, len(name)]) + name


def message(plug: int, turn: int, unix_s: int) -> bytes:
    """Return a plug's report: PUBLISH at QoS 1."""
    said = {"macAddress": mac_of(plug), "timestamp": unix_s + turn, "device": 1, "data": round(current_a(plug), 2)}
    rest = bytes([0, len(TOPIC)]) + TOPIC.encode() + (turn % 65_535 + 1).to_bytes(2, "big") + json.dumps(said).encode()
    assert len(rest) < 128  # the length is then told in one byte
    return bytes([0x32, len(rest)]) + rest


class Plugs:
    """All of them, connected; each reports `turns` times."""

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._writers: list[asyncio.StreamWriter] = []
        self._acknowledged: list[asyncio.Task[bytes]] = []

    async def connect(self, port: int, plugs: int) -> None:
        """Connect all."""
        for plug in range(plugs):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(hello(plug))
            welcome = await reader.readexactly(WELCOME_BYTES)
            assert welcome[3] == 0
            self._writers.append(writer)
            acknowledgements = reader.readexactly(self._turns * ACKNOWLEDGEMENT_BYTES)
            self._acknowledged.append(asyncio.create_task(acknowledgements))

    async def report(self, rate_per_s: float, unix_s: int) -> float:
        """Let all report, together at a rate; return how many seconds it took until all was acknowledged."""
        count = len(self._writers) * self._turns
        start_s = time.monotonic()
        done = 0
        while done < count:
            due = min(count, int((time.monotonic() - start_s) * rate_per_s) + 1)
            for number in range(done, due):
                turn, plug = divmod(number, len(self._writers))
                self._writers[plug].write(message(plug, turn, unix_s))
            done = due
            await asyncio.sleep(0.001)
        await asyncio.gather(*self._acknowledged)
        return time.monotonic() - start_s

    def leave(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()


async def main(port: int, plugs: int, rate_per_s: float, turns: int) -> None:
    """Report, and say what was reported."""
    all_plugs = Plugs(turns)
    await all_plugs.connect(port, plugs)
    took_s = await all_plugs.report(rate_per_s, int(time.time()) - AGO_S)
    all_plugs.leave()
    json.dump({"sent": plugs * turns, "took_s": took_s}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
