"""What is told of a day, and how that differs from what would be told of it now."""

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from casawatt.model import event_types
from casawatt.model.digest import Digest, Part
from casawatt.model.event import Event
from casawatt.model.event_data import DigestDaily, DigestMeter, DigestPower
from casawatt.model.money import digits_of, plain

COMPARED = {
    "energy_wh": ("energy", "Wh"),
    "cost": ("cost", None),
    "coverage": ("coverage", ""),
    "peak_w": ("peak", "W"),
    "standby_w": ("standby", "W"),
    "runs": ("runs", ""),
}
"""What of a day is compared with what was told: its name for a person, and its unit; None is the currency."""


def told_of(digest: Digest, zone: ZoneInfo, currency: str) -> DigestDaily:
    """Return what is told of a day."""
    power = [
        DigestPower(each.resolution_min, list(each.time_ms), [watts(mw) for mw in each.power_mw])
        for each in digest.home.curves
    ]
    meters = {each.slug: _of_part(each, zone, currency) for each in digest.meters if each.slug}
    return DigestDaily(digest.day.isoformat(), currency, _of_part(digest.home, zone, currency), meters, power)


def event_of(digest: Digest, zone: ZoneInfo, currency: str) -> Event:
    """Return the event that tells of a day; its id is that of the day."""
    data = told_of(digest, zone, currency)
    return event_types.event_of(data, digest.end_ms, "home", data.date)


def _of_part(part: Part, zone: ZoneInfo, currency: str) -> DigestMeter:
    peak, standby = part.peak, part.standby
    return DigestMeter(
        energy_wh=part.energy_mwh / 1000,
        cost=money(part.cost, currency),
        coverage=share(part.measured_ms, part.length_ms),
        mean_w=watts(part.mean_mw),
        peak_w=watts(peak.power_mw) if peak else None,
        peak_at=rfc3339(peak.time_ms, zone) if peak else None,
        standby_w=watts(standby.power_mw) if standby else None,
        standby_year_cost=money(standby.year_cost, currency) if standby else None,
        usual_wh=part.usual.energy_mwh / 1000 if part.usual else None,
        runs=len(part.runs),
    )


def differences(told: DigestDaily, now: DigestDaily) -> list[str]:
    """Return in sentences what of a day's figures is not what was told of it."""
    found = _differences("the home", told.home, now.home, now.currency)
    for slug in dict.fromkeys((*told.meters, *now.meters)):
        was, is_ = told.meters.get(slug), now.meters.get(slug)
        if was is None:
            found.append(f"{slug}: is new since")
        elif is_ is None:
            found.append(f"{slug}: is gone since")
        else:
            found += _differences(slug, was, is_, now.currency)
    return found


def _differences(who: str, told: DigestMeter, now: DigestMeter, currency: str) -> list[str]:
    found = []
    for name, (word, unit) in COMPARED.items():
        was, is_ = getattr(told, name), getattr(now, name)
        if was != is_:
            words = [_worded(each, currency if unit is None else unit) for each in (was, is_)]
            found.append(f"{who}: {word} was told as {words[0]}, is {words[1]}")
    return found


def _worded(value: float | str | None, unit: str) -> str:
    return "unknown" if value is None else f"{value} {unit}".strip()


def watts(power_mw: int | None) -> float | None:
    """Return mW as W, to a hundredth as the first MCEE program did."""
    return None if power_mw is None else round(power_mw / 1000, 2)


def money(amount: Fraction | None, currency: str) -> str | None:
    """Return an exact amount in the currency's smallest units, rounded half up: `"12.30"`."""
    digits = digits_of(currency)
    return None if amount is None else plain(amount, digits, digits)


def share(part: int, whole: int) -> float:
    """Return `part / whole` to four decimals; 1 or 0 only when it is exactly that."""
    if part <= 0 or whole <= 0:
        return 0.0
    return 1.0 if part >= whole else min(max(round(part / whole, 4), 0.0001), 0.9999)


def rfc3339(time_ms: int, zone: ZoneInfo) -> str:
    """Return UTC ms as RFC 3339 with the zone's offset; milliseconds only where there are any."""
    moment = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(milliseconds=time_ms)
    return moment.astimezone(zone).isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds")
