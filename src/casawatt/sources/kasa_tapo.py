"""What Tapo plugs say (P110, P115, P304M, newer Kasa): pure functions from their documents to values.

`get_energy_usage` has power in mW, energy of today and of this month in Wh, and the plug's own local time without a
zone. `get_emeter_data`, of newer firmware, has voltage and current too; `get_current_power` whole watts. A request that
the firmware does not know is answered by an error code in the place of its document.
"""

from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from casawatt.model.errors import PacketError
from casawatt.sources.kasa_legacy import NUMBER_MAX

MONTH_MINUTES = 43_200
"""How `get_energy_data` calls months."""

MILLI = 0.001


class Usage(msgspec.Struct, frozen=True):
    """What a socket says now; None is what it did not say. `local` is the time by its own clock, without a zone."""

    local: datetime
    power_w: float | None
    voltage_v: float | None
    current_a: float | None
    today_wh: float | None
    month_wh: float | None


def parse_usage(answer: dict[str, Any]) -> Usage:
    """Return the values in the answers to `get_energy_usage` and, if there, `get_emeter_data` and `get_current_power`.

    Raises PacketError: `no_meter` when the device has no meter, `number` or `time` for a value that is none.
    """
    usage = answer.get("get_energy_usage")
    if not isinstance(usage, dict):
        raise PacketError("no_meter", f"get_energy_usage: {usage!s}")
    live = _document(answer.get("get_emeter_data"))
    watts = _document(answer.get("get_current_power"))
    power_w = _number(live, "power_mw", MILLI)
    if power_w is None:
        power_w = _number(usage, "current_power", MILLI)
    if power_w is None:
        power_w = _number(watts, "current_power", 1.0)
    return Usage(
        local=parse_local(usage.get("local_time")),
        power_w=power_w,
        voltage_v=_number(live, "voltage_mv", MILLI),
        current_a=_number(live, "current_ma", MILLI),
        today_wh=_number(usage, "today_energy", 1.0),
        month_wh=_number(usage, "month_energy", 1.0),
    )


def parse_local(text: object) -> datetime:
    """Return the device's local time, e.g. `2026-01-31 23:59:50`; raises PacketError."""
    try:
        local = datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the device says no zone
    except ValueError:
        raise PacketError("time", f"local_time is {text!r}") from None
    if not MINYEAR < local.year < MAXYEAR:
        raise PacketError("time", f"local_time is {text!r}, in which no year's end can be reckoned with")
    return local


def parse_zone(identity: dict[str, Any]) -> tzinfo:
    """Return the zone that a device is set to: by its `region`, e.g. `Europe/Rome`, else its offset in minutes."""
    try:
        return ZoneInfo(str(identity["region"]))
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        pass
    offset = identity.get("time_diff")
    if isinstance(offset, int) and abs(offset) <= 14 * 60:
        return timezone(timedelta(minutes=offset))
    return UTC


def months_request(year: int, zone: tzinfo) -> dict[str, Any]:
    """Return the request for the energy of each month of a year."""
    start_s, end_s = (int(datetime(each, 1, 1, tzinfo=zone).timestamp()) for each in (year, year + 1))
    return {"get_energy_data": {"start_timestamp": start_s, "end_timestamp": end_s, "interval": MONTH_MINUTES}}


def parse_months(answer: object) -> list[float]:
    """Return the energy (Wh) of the twelve months of the year that was asked for; raises PacketError `history`."""
    data = _document(answer).get("data")
    if not isinstance(data, list) or len(data) != 12 or not all(_counts(value) for value in data):
        raise PacketError("history", f"the months of a year are {data!r}")
    return [float(value) for value in data]


def children_of(answer: object) -> list[str]:
    """Return the id of each socket of a strip, from the answer to `get_child_device_list`; none for a plug."""
    children = _document(answer).get("child_device_list", [])
    if not isinstance(children, list) or not all(isinstance(each, dict) and "device_id" in each for each in children):
        raise PacketError("format", f"child_device_list: {children!r}")
    places = [child.get("position") for child in children]
    order = [place if isinstance(place, int) else 0 for place in places]
    return [str(child["device_id"]) for _, child in sorted(zip(order, children, strict=True), key=lambda pair: pair[0])]


def unwrap_child(answer: object) -> dict[str, Any]:
    """Return the documents by name in the answer to `control_child`; raises PacketError."""
    wrapped = _document(_document(answer).get("responseData"))
    responses = _document(wrapped.get("result")).get("responses")
    if not isinstance(responses, list) or not all(isinstance(each, dict) for each in responses):
        raise PacketError("format", f"control_child answered {answer!r}")
    return {str(each.get("method")): each.get("result") or each.get("error_code") for each in responses}


def wrap_child(child: str, requests: dict[str, Any]) -> dict[str, Any]:
    """Return requests for one socket of a strip, as the strip wants them."""
    each = [{"method": name, "params": params} if params else {"method": name} for name, params in requests.items()]
    inner = {"method": "multipleRequest", "params": {"requests": each}}
    return {"control_child": {"device_id": child, "requestData": inner}}


def _counts(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < NUMBER_MAX


def _document(said: object) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def _number(said: dict[str, Any], name: str, scale: float) -> float | None:
    value = said.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < NUMBER_MAX:
        raise PacketError("number", f"{name} is {value!r}")
    return value * scale
