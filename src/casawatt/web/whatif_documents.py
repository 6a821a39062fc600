"""What a period would have cost, as the API answers it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from casawatt.engine.largest_remainder import half_up
from casawatt.model.whatif import MovedRun, Scenario, WhatIfs
from casawatt.web.bill_documents import Amount, Day, kwh, money
from casawatt.web.documents import Time
from casawatt.web.ports import Ports
from casawatt.web.times import format_time

Watts = Annotated[float, Meta(description="Power in W")]


class MovedRunDocument(msgspec.Struct, frozen=True):
    """A run, when it would have begun instead, and what its energy cost and would have cost."""

    start: Time
    end: Time
    instead: Time
    energy_kwh: float
    before: Amount
    after: Amount


class ScenarioDocument(msgspec.Struct, frozen=True):
    """What the period would have come to. `difference` is this total less the real one: a saving is negative.

    `reason` says why in a sentence. `complete` is false where energy would have had no price that has one. `runs` are
    those that were moved; `peak_w` is the highest power, `quarters_above` in how many quarter-hours it was above what
    is contracted, and `trips` how often the limiter would have acted: null where that is not asked or not known.
    """

    kind: Literal["tariff", "power", "runs"]
    name: str
    total: Amount
    difference: Amount
    complete: bool
    reason: str
    runs: list[MovedRunDocument]
    peak_w: Watts | None
    quarters_above: int | None
    trips: int | None


class WhatIfDocument(msgspec.Struct, frozen=True):
    """What a period cost, and what it would have cost; the scenario that saves most comes first."""

    billed: str
    start: Day
    end: Day
    currency: str
    energy_kwh: float
    total: Amount
    complete: bool
    scenarios: list[ScenarioDocument]


def whatif_document(ports: Ports, found: WhatIfs) -> WhatIfDocument:
    """Return a bill and its scenarios."""
    bill = found.bill
    return WhatIfDocument(
        ports.answers.bills.billed().name,
        bill.start.isoformat(),
        bill.end.isoformat(),
        bill.currency,
        kwh(bill.energy_mwh),
        money(bill.units, bill.digits),
        bill.complete,
        [_scenario(ports, each, found) for each in found.scenarios],
    )


def _scenario(ports: Ports, scenario: Scenario, found: WhatIfs) -> ScenarioDocument:
    bill = scenario.bill
    return ScenarioDocument(
        scenario.kind.value,
        scenario.name,
        money(bill.units, bill.digits),
        money(bill.units - found.bill.units, bill.digits),
        not found.lacks(bill),
        scenario.reason,
        [_run(ports, run, bill.digits) for run in scenario.moved],
        None if scenario.peak_mw is None else scenario.peak_mw / 1000,
        scenario.quarters_above,
        scenario.trips,
    )


def _run(ports: Ports, run: MovedRun, digits: int) -> MovedRunDocument:
    start, end, instead = (
        format_time(each, ports.home.zone) for each in (run.start_ms, run.end_ms, run.start_ms + run.shift_ms)
    )
    before, after = (money(half_up(amount * 10**digits), digits) for amount in (run.before, run.after))
    return MovedRunDocument(start, end, instead, kwh(run.energy_mwh), before, after)
