"""What the API answers about patterns."""

from fractions import Fraction
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from casawatt.answers.digest_event import watts
from casawatt.engine.pattern_words import rise_words, unusual_words
from casawatt.model.money import digits_of, plain
from casawatt.model.patterns import Balance, Pattern, Patterns, Peaks, Profile, Rise, Unusual
from casawatt.web.digest_documents import Money, Watts
from casawatt.web.documents import Time
from casawatt.web.ports import Home, Ports
from casawatt.web.times import format_time

WEEKDAYS: tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


class BaseDocument(msgspec.Struct, frozen=True):
    """What flows when nobody does anything: the median of the standby power of `days` days.

    `year_cost`: of 365 days, by the mean price of the last 28. `share`: of all consumption of these days.
    """

    power_w: Watts
    year_cost: Money | None
    share: float | None
    days: int


class HighDocument(msgspec.Struct, frozen=True):
    """A day's highest power, and the quarter-hour in which it was."""

    power_w: Watts
    quarter: Time


class PeaksDocument(msgspec.Struct, frozen=True):
    """The highest of the peaks of `days` days, and the median of all of them."""

    highest: list[HighDocument]
    usual_w: Watts
    days: int


class ProfileDocument(msgspec.Struct, frozen=True):
    """The usual day: mean power in each of the 96 quarter-hours that the clock on the wall shows, from midnight on.

    The median of `days` days and the quartiles below and above it; null where fewer than three days say.
    """

    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    days: int
    low_w: list[float | None]
    median_w: list[float | None]
    high_w: list[float | None]


class UnusualDocument(msgspec.Struct, frozen=True):
    """That a meter, or the home (null), has used far more or less today than usual by `until`, a local clock time."""

    meter: str | None
    more: bool
    until: Annotated[str, Meta(pattern="^[0-9]{2}:[0-9]{2}$")]
    energy_wh: float
    usual_wh: float
    extreme_wh: float
    days: int
    sentence: str


class RiseDocument(msgspec.Struct, frozen=True):
    """That an appliance uses more a day, or a run, than it did: the medians lately and before.

    `year_cost`: of what is more, in 365 days.
    """

    meter: str
    each: Literal["day", "run"]
    than: Literal["a year ago", "before"]
    recent_wh: float
    before_wh: float
    recent_count: int
    before_count: int
    percent: int
    year_cost: Money | None
    sentence: str


class BehindDocument(msgspec.Struct, frozen=True):
    """A meter that is behind another, and what it measured."""

    meter: str
    energy_wh: float


class BalanceDocument(msgspec.Struct, frozen=True):
    """What a meter measured, what those behind it did, and the rest that no meter measured.

    Over the `common` of all `quarters` quarter-hours that each of them measured whole. `causes`: why `rest_wh` may be
    negative; empty when it is not.
    """

    meter: str
    start: Time
    end: Time
    quarters: int
    common: int
    energy_wh: float
    behind: list[BehindDocument]
    rest_wh: float
    causes: list[str]


class PatternDocument(msgspec.Struct, frozen=True):
    """What is usual of a meter, or of the home (`meter` null). Null, or empty, is what cannot be said yet."""

    meter: str | None
    base: BaseDocument | None
    peaks: PeaksDocument | None
    profiles: list[ProfileDocument]
    unusual: UnusualDocument | None
    rises: list[RiseDocument]


class PatternsDocument(msgspec.Struct, frozen=True):
    """The patterns of the home and of each meter as of `at`; `profiles` of the meters are at their own address."""

    at: Time
    currency: str
    home: PatternDocument
    meters: list[PatternDocument]
    balances: list[BalanceDocument]


class MeterPatternsDocument(msgspec.Struct, frozen=True):
    """The patterns of one meter as of `at`."""

    at: Time
    currency: str
    pattern: PatternDocument


def patterns_document(ports: Ports) -> PatternsDocument:
    """Return the patterns of the home."""
    found: Patterns = ports.answers.patterns.all()
    home = ports.home
    names = {each.slug: each.name for each in ports.meters.meters()}
    return PatternsDocument(
        format_time(found.now_ms, home.zone),
        home.currency,
        _pattern(found.home, home, names, profiles=True),
        [_pattern(each, home, names, profiles=False) for each in found.meters],
        [_balance(each, home) for each in found.balances],
    )


def meter_patterns_document(ports: Ports, slug: str) -> MeterPatternsDocument:
    """Return the patterns of a meter. Raises UnknownMeterError."""
    meter = ports.meters.meter(slug)
    home = ports.home
    pattern = _pattern(ports.answers.patterns.of(meter), home, {slug: meter.name}, profiles=True)
    return MeterPatternsDocument(format_time(ports.clock.now_ms(), home.zone), home.currency, pattern)


def _pattern(pattern: Pattern, home: Home, names: dict[str, str], *, profiles: bool) -> PatternDocument:
    base = pattern.base
    name = home.name if pattern.slug is None else names[pattern.slug]
    return PatternDocument(
        pattern.slug,
        BaseDocument(
            base.standby.power_mw / 1000,
            _money(base.standby.year_cost, home),
            None if base.percent is None else base.percent / 100,
            base.days,
        )
        if base
        else None,
        _peaks(pattern.peaks, home) if pattern.peaks else None,
        [_profile(each) for each in pattern.profiles] if profiles else [],
        _unusual(pattern.unusual, name) if pattern.unusual else None,
        [_rise(each, name, home) for each in pattern.rises],
    )


def _money(amount: Fraction | None, home: Home) -> str | None:
    digits = digits_of(home.currency)
    return None if amount is None else plain(amount, digits, digits)


def _peaks(peaks: Peaks, home: Home) -> PeaksDocument:
    highest = [HighDocument(each.power_mw / 1000, format_time(each.quarter_ms, home.zone)) for each in peaks.highest]
    return PeaksDocument(highest, peaks.usual_mw / 1000, peaks.days)


def _profile(profile: Profile) -> ProfileDocument:
    low, middle, high = (
        [watts(each) for each in values] for values in (profile.low_mw, profile.median_mw, profile.high_mw)
    )
    return ProfileDocument(WEEKDAYS[profile.weekday], profile.days, low, middle, high)


def _unusual(found: Unusual, name: str) -> UnusualDocument:
    return UnusualDocument(
        found.slug,
        found.more,
        f"{found.minute // 60:02d}:{found.minute % 60:02d}",
        found.energy_mwh / 1000,
        found.usual_mwh / 1000,
        found.extreme_mwh / 1000,
        found.days,
        unusual_words(name, found),
    )


def _rise(found: Rise, name: str, home: Home) -> RiseDocument:
    cost = _money(found.year_cost, home)
    return RiseDocument(
        found.slug,
        found.each,
        found.than,
        found.recent_mwh / 1000,
        found.before_mwh / 1000,
        found.recent_count,
        found.before_count,
        found.percent,
        cost,
        rise_words(name, found, f"{cost} {home.currency}" if cost else None),
    )


def _balance(found: Balance, home: Home) -> BalanceDocument:
    return BalanceDocument(
        found.slug,
        format_time(found.start_ms, home.zone),
        format_time(found.end_ms, home.zone),
        found.quarters,
        found.common,
        found.energy_mwh / 1000,
        [BehindDocument(slug, energy_mwh / 1000) for slug, energy_mwh in found.parts],
        found.rest_mwh / 1000,
        list(found.causes),
    )
