"""The sections of the config file that casawatt itself reads, one class each."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from casawatt.model.alarm import WEEKDAYS, WeekdayName
from casawatt.model.broker import BrokerOptions
from casawatt.model.member import Rest
from casawatt.model.meter import LIMIT_W, Cadence
from casawatt.model.price import PriceFormat, PriceUnit
from casawatt.model.supply import CLEAR_MS, WARN_MS, PresetName, TierRule

Ratio = Annotated[float, Meta(gt=0, le=1)]
Voltage = Annotated[float, Meta(ge=50, le=1000)]
Limit = Annotated[float, Meta(gt=0, le=1_000_000)]
Share = Annotated[float, Meta(gt=0, le=10_000)]
Resolution = Annotated[int, Meta(ge=1, le=1440)]
Power = Annotated[float, Meta(ge=0, le=1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Threshold = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]
TimeOfDay = Annotated[str, Meta(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
GapLimit = Annotated[float, Meta(ge=1, le=86_400)]


class HomeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[home]`: what holds for the whole home.

    `country` is whose holidays count for tariffs, two letters; `holidays_extra` and `holidays_not` are days that count
    beside them and that do not.
    """

    name: str = "Home"
    timezone: str = "Europe/Rome"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    nominal_voltage_v: Voltage = 230.0
    billing_day: Annotated[int, Meta(ge=1, le=31)] = 1
    country: str | None = None
    holidays_extra: list[date] = []
    holidays_not: list[date] = []

    @property
    def holiday_country(self) -> str | None:
        """The country whose holidays count: the one that is named, or else Italy in its time zone, or none."""
        return self.country or ("IT" if self.timezone == "Europe/Rome" else None)

    @property
    def zone(self) -> ZoneInfo:
        """The home's time zone, by which its days begin and end."""
        return ZoneInfo(self.timezone)


class SupplyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[supply]`: the grid connection. `limit_w`: more power than this, in either direction, cannot flow through it.

    `meter` is the slug of the meter that everything is billed by, `contracted_w` the power that is paid for. `limiter`
    names what switches the home off, or `tier` describes it. It is warned of `warn_s` before, and power is normal
    again after `clear_for_s`.
    """

    limit_w: Limit = LIMIT_W
    meter: str | None = None
    contracted_w: Annotated[int, Meta(gt=0, le=1_000_000)] | None = None
    limiter: PresetName | None = None
    tier: tuple[TierRule, ...] = ()
    warn_s: Annotated[float, Meta(ge=30, le=86_400)] = WARN_MS / 1000
    clear_for_s: Annotated[float, Meta(ge=1, le=86_400)] = CLEAR_MS / 1000


class AlarmConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """`[alarm.<name>]`: power of a meter above, or below, a threshold for some time.

    `from` and `to` are times of the local day, `weekdays` the days on which it begins to be on.
    """

    meter: str
    above_w: Threshold | None = None
    below_w: Threshold | None = None
    for_s: Annotated[float, Meta(ge=0, le=86_400)] = 10.0
    clear_w: Threshold | None = None
    clear_for_s: Annotated[float, Meta(ge=0, le=86_400)] = 60.0
    from_: TimeOfDay | None = None
    to: TimeOfDay | None = None
    weekdays: tuple[WeekdayName, ...] = WEEKDAYS


class DigestConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[digest]`: when the digest of a day is told on the next, and its power by how many minutes."""

    at: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:05"
    resolutions: tuple[Resolution, ...] = (15, 60)

    def __post_init__(self) -> None:
        """Raise ValueError for a resolution that does not divide a day."""
        for minutes in self.resolutions:
            if 1440 % minutes:
                message = f"`resolutions`: {minutes} does not divide the 1440 minutes of a day, as 15 and 60 do"
                raise ValueError(message)


class StoreConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[store]`: how often what was measured is forced to the disk, in seconds."""

    sync_s: Annotated[float, Meta(ge=1, le=3600)] = 10.0


class WebConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[web]`: where the page and the API are served; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8480


class BrokerConfig(BrokerOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[broker.<name>]`: an MQTT broker, and how to be let in."""


class SplitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[split]`: how a bill is divided among the members."""

    rest: Rest = Rest.PERSON


class PricesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[prices.<series>]`: prices by the hour or quarter-hour, and where they come from.

    `area` is the code of the bidding zone, `sequence` which of its auctions, `token_file` where the token is that the
    platform wants. `unit` and `timezone` are those of a table that does not say them.
    """

    format: PriceFormat
    url: Annotated[str, Meta(pattern="^https?://[^ ]+$")] | None = None
    file: str | None = None
    area: Annotated[str, Meta(pattern="^[0-9]{2}[A-Z][0-9A-Z-]{13}$")] | None = None
    sequence: Annotated[int, Meta(ge=1, le=9)] = 1
    token_file: str | None = None
    unit: PriceUnit | None = None
    timezone: str | None = None
    refresh_s: Annotated[float, Meta(ge=300, le=604_800)] = 3600.0


class MemberConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[member.<name>]`: somebody who lives in the home, from the day `joined` to the day `left`, both among them."""

    name: str | None = None
    joined: date | None = None
    left: date | None = None
    room_m2: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    share: Annotated[float, Meta(ge=0, le=10_000)] = 1.0


class MeterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[meter.<slug>]`: a metered point, the device bound to it and how its current becomes watts.

    `parent` is the slug of the meter whose power this one is part of. `limit_w`, `gap_limit_s` and `cadence` stand in
    for what source and supply say. Its energy is `owner`'s, or the members' by `shares`, or, if `claimed`, whoever's
    claims a run; one of these at most. The options from `standby_w` on say how its runs are told.
    """

    source: str
    address: str
    name: str | None = None
    appliance: str | None = None
    parent: str | None = None
    nominal_voltage_v: Voltage | None = None
    power_factor_ratio: Ratio = 1.0
    limit_w: Limit | None = None
    gap_limit_s: GapLimit | None = None
    cadence: Cadence | None = None
    owner: str | None = None
    shares: dict[str, Share] | None = None
    claimed: bool = False
    standby_w: Power | None = None
    on_w: Power | None = None
    work_w: Power | None = None
    work_wh: Power | None = None
    start_after_s: Seconds | None = None
    end_after_s: Seconds | None = None
    pause_limit_s: Seconds | None = None
    quiet_limit_s: Seconds | None = None
    bridge_limit_s: Seconds | None = None
