"""Shellys of generation 1, asked over HTTP again and again.

Their relays count in watt-minutes (`meters[].total`), their energy meters in watt-hours (`emeters[].total`). The
`timestamp` of a meter is Unix time in the local zone, so the time of arrival is taken.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import ClientSession

from casawatt.model.errors import PacketError
from casawatt.model.ports import Inbox
from casawatt.model.reading import Reading
from casawatt.sources.shelly_device import NO_METER, SOURCE, Boots
from casawatt.sources.shelly_parse import PHASES, RETURN, Document, Said, component, number
from casawatt.transports.http import get_json

WATT_MINUTES_PER_WH = 60
THREE_PHASES = "SHEM-3"
"""The type of the one device whose energy meters are the three phases of one connection."""


def device_id(shelly: Document, settings: Document) -> str:
    """Return what names a device for good: its network name, with part of its MAC address; e.g. `shellyem3-A1B2C3`.

    `shelly` is the answer of `/shelly`, `settings` that of `/settings`. Raises PacketError when neither names it.
    """
    name = (component(settings, "device") or {}).get("hostname")
    if isinstance(name, str) and name:
        return name
    kind, mac = shelly.get("type"), shelly.get("mac")
    if isinstance(kind, str) and isinstance(mac, str) and mac:
        return f"{kind}-{mac}".lower()
    raise PacketError("format", f"a device without a name: {str(shelly)[:80]}")


def parse(status: Document, kind: str) -> list[Said]:
    """Return what `/status` says of each channel; `kind` is the device's `type`.

    A meter that is not valid says nothing. Raises PacketError for what is not as it should be.
    """
    said = []
    for index, meter in enumerate(_list_of(status, "meters")):
        total_wmin = number(meter, "total")
        if total_wmin is not None and meter.get("is_valid", True) is True:
            power_w = number(meter, "power")
            said.append(Said(f"meter:{index}", power_w, register_wh=total_wmin / WATT_MINUTES_PER_WH))
    emeters = _list_of(status, "emeters")
    if kind == THREE_PHASES and len(emeters) == len(PHASES):
        channels = [f"emeters/{phase}" for phase in PHASES]
        said += _together(emeters)
    else:
        channels = [f"emeter:{index}" for index in range(len(emeters))]
    for channel, meter in zip(channels, emeters, strict=True):
        if meter.get("is_valid", True) is True:
            said += _energy_meter(channel, meter)
    return said


def _list_of(status: Document, name: str) -> list[Document]:
    found = status.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise PacketError("format", f"{name} is {str(found)[:80]}, no list of objects")
    return found


def _energy_meter(channel: str, meter: Document) -> list[Said]:
    power_w = number(meter, "power")
    known = power_w is not None
    said = Said(
        channel,
        power_w,
        number(meter, "voltage"),
        number(meter, "current") if known else None,
        number(meter, "pf") if known else None,
        number(meter, "total"),
    )
    return _with_return(said, number(meter, "total_returned"))


def _together(emeters: list[Document]) -> list[Said]:
    """Return the three phases as one, which is only known while each of them is."""
    if not all(meter.get("is_valid", True) is True for meter in emeters):
        return []
    sums = {key: [number(meter, key) for meter in emeters] for key in ("power", "total", "total_returned")}
    power_w, total_wh, returned_wh = (
        sum(value for value in values if value is not None) if None not in values else None for values in sums.values()
    )
    return _with_return(Said("emeters", power_w, register_wh=total_wh), returned_wh)


def _with_return(said: Said, returned_wh: float | None) -> list[Said]:
    """Return a channel and, once anything was returned, the register of what was."""
    return [said, Said(f"{said.channel}/{RETURN}", register_wh=returned_wh)] if returned_wh else [said]


class Gen1Device(NamedTuple):
    """A device as it called itself: its id and its `type`; `boots` outlives connections."""

    device_id: str
    kind: str
    boots: Boots


async def poll(
    session: ClientSession,
    host: str,
    login: tuple[str, str] | None,
    device: Gen1Device,
    inbox: Inbox,
    *,
    poll_s: float,
    wait: Callable[[float], Awaitable[None]],
) -> None:
    """Put what a device says into `inbox`, every `poll_s`, for ever.

    Raises ConnectionError and PacketError when an answer does not come or cannot be used.
    """
    name, kind, boots = device
    while True:
        status = await get_json(session, f"http://{host}/status", login)
        received_ms = inbox.clock.now_ms()
        uptime_s = number(status, "uptime")
        if uptime_s is not None:
            boots.take(uptime_s, received_ms)
        if not status.get("meters") and not status.get("emeters"):
            raise PacketError(NO_METER, f"{name} measures nothing: {', '.join(status)}")
        for said in parse(status, kind):
            if said.is_empty:
                continue
            inbox.put(
                Reading(
                    source=SOURCE,
                    address=f"{name}/{said.channel}",
                    received_ms=received_ms,
                    power_w=said.power_w,
                    voltage_v=said.voltage_v,
                    current_a=said.current_a,
                    power_factor_ratio=said.power_factor_ratio,
                    register_wh=said.register_wh,
                    boot_id=boots.boot_id,
                )
            )
        await wait(poll_s)
