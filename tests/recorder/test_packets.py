"""From real packets to watt-hours: the source, the recorder and the store together."""

import asyncio
import socket
import struct
from pathlib import Path

from casawatt.model.interval import How
from casawatt.recorder.inbox import SourceInbox
from casawatt.recorder.keeper import Keeper
from casawatt.registry import Adoption
from casawatt.sources import ecms_udp
from tests.recorder.homes import START_MS, home_in

MAC = bytes.fromhex("5ccf7f010203")
TIMEOUT_S = 20.0


async def test_an_hour_of_version_1_packets_of_one_ampere_is_230_wh(tmp_path: Path) -> None:
    config = ecms_udp.Config(host="127.0.0.1", port=0, announce=False)
    with home_in(tmp_path) as home:
        home.registry.adopt(Adoption("oven", "Oven", "ecms_udp", "5c:cf:7f:01:02:03"), START_MS)
        inbox = SourceInbox("ecms_udp", home.recorder, Keeper(home.store, home.recorder, sync_s=1, on_event=print))
        arrived = asyncio.Event()
        home.recorder.on_change(lambda _meter_id: arrived.set())
        async with ecms_udp.listening(config, inbox) as endpoint, asyncio.timeout(TIMEOUT_S):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
                for _ in range(361):
                    arrived.clear()
                    stamp_s = home.clock.time_ms // 1000
                    node.sendto(MAC + struct.pack(">IBB", stamp_s, 6, 50), endpoint.address)
                    await arrived.wait()
                    home.clock.advance(10_000)
        intervals = home.intervals("oven")
        assert [interval.energy_mwh for interval in intervals] == [57_500] * 4
        assert [interval.measured_ms for interval in intervals] == [900_000] * 4
        assert {interval.how for interval in intervals} == {How.TRAPEZOID}
