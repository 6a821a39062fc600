"""The data that events carry, one struct a type."""

import msgspec


class DigestPower(msgspec.Struct, frozen=True):
    """Mean power of each `resolution_min` minutes of a day; null where less than half of them was measured.

    `time_ms`: where each begins, milliseconds since 1970 in UTC.
    """

    resolution_min: int
    time_ms: list[int]
    power_w: list[float | None]


class DigestMeter(msgspec.Struct, frozen=True):
    """A day of one meter, or of the home. Null is what cannot be said.

    `coverage`: the share of the day that was measured. `mean_w`: while it was. `peak_at`: when power was highest, RFC
    3339. `standby_year_cost`: of the standby power in 365 days, at that day's prices. `usual_wh`: the median of the
    last same weekdays. `runs`: how many began.
    """

    energy_wh: float
    cost: str | None
    coverage: float
    mean_w: float | None
    peak_w: float | None
    peak_at: str | None
    standby_w: float | None
    standby_year_cost: str | None
    usual_wh: float | None
    runs: int


class DigestDaily(msgspec.Struct, frozen=True):
    """`casawatt.digest.daily`: a local day is over. `meters`: each by its slug; `power`: that of the home."""

    date: str
    currency: str
    home: DigestMeter
    meters: dict[str, DigestMeter]
    power: list[DigestPower]


class RunStarted(msgspec.Struct, frozen=True):
    """`casawatt.run.started`: an appliance began to be used. `meter`: its slug; `start`: when, RFC 3339."""

    meter: str
    start: str


class RunFinished(msgspec.Struct, frozen=True):
    """`casawatt.run.finished`: a run has ended, with what it used until then.

    `start` and `end` are RFC 3339. `cost` is a decimal number of `currency`, null where no tariff holds for all of its
    time. `programme` is what runs like it are called, null where nobody named them.
    """

    meter: str
    start: str
    end: str
    duration_s: float
    energy_wh: float
    peak_w: float
    cost: str | None
    currency: str
    programme: str | None
