"""All that answers questions about the home as a whole, put together."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from casawatt.answers.bills import Bills, Terms
from casawatt.answers.consumption import Consumption
from casawatt.answers.costs import Costs
from casawatt.answers.digests import Digests
from casawatt.answers.known import Known
from casawatt.answers.market import Calendar, Markets
from casawatt.answers.patterns import PatternsOfHome
from casawatt.answers.prices import Prices
from casawatt.answers.programmes import Programmes
from casawatt.answers.runs import Runs
from casawatt.answers.splits import Splits, splits_of
from casawatt.answers.tariffs import Tariffs
from casawatt.answers.whatif import WhatIf
from casawatt.answers.would_trip import WouldTrip
from casawatt.config import Config
from casawatt.config_edit import ConfigFile
from casawatt.config_supply import limiter_by_power
from casawatt.config_tariffs import place_of
from casawatt.model.event import Event
from casawatt.model.ports import Clock
from casawatt.recorder.recorder import Recorder
from casawatt.registry import Registry
from casawatt.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers them."""

    consumption: Consumption
    costs: Costs
    bills: Bills
    tariffs: Tariffs
    prices: Prices
    digests: Digests
    patterns: PatternsOfHome
    runs: Runs
    programmes: Programmes
    splits: Splits
    whatif: WhatIf


def answers_of(
    config: Config,
    store: Store,
    registry: Registry,
    recorder: Recorder,
    clock: Clock,
    on_event: Callable[[Event], object] | None = None,
) -> Answers:
    """Return what answers for a home that is open; `on_event` hears what happens, None: it is written down at once."""
    consumption = Consumption(store, registry, config.supply.meter)
    home = config.home
    calendar = Calendar(home.holiday_country, home.holidays_extra, home.holidays_not)
    markets = Markets(store, home.zone, calendar)
    bills = Bills(
        consumption, markets, Terms(config.home.currency, config.home.billing_day, config.supply.contracted_w)
    )
    costs = Costs(store, registry, markets)
    runs = Runs(store, registry, recorder, clock, costs)
    known = Known(store, registry, clock, consumption, costs, runs, config.home.currency)
    return Answers(
        consumption,
        costs,
        bills,
        Tariffs(store, bills, ConfigFile(config).tariffs, clock),
        Prices(store, bills, config.prices, clock, on_event or store.book.events.append),
        Digests(known),
        PatternsOfHome(known),
        runs,
        Programmes(store, runs),
        splits_of(config, store, registry, bills, runs.list, clock),
        WhatIf(
            bills,
            costs,
            markets,
            registry,
            runs.list,
            alternatives=config.alternatives,
            would_trip=WouldTrip(store, registry, limiter_by_power(config.supply)),
        ),
    )


def take_tariffs_in(tariffs: Tariffs, *, write: bool) -> None:
    """Take the config's tariffs on record, but for those that would change what time past cost.

    Without `write` they only count as if they were on record.
    """
    for tariff in tariffs.take_in(write=write):
        if write:
            log.info("the tariff %r holds from %s on", tariff.name, tariff.from_)


def warn_of_waiting(config: Config, tariffs: Tariffs) -> None:
    """Name the tariffs of the config that are not taken, and what to do about it."""
    for each in tariffs.waiting():
        log.warning(
            "the tariff %r from %s (%s) would change what was used since %s costs, so it is not taken: "
            "`casawatt tariffs correct` shows what would change, and does it",
            each.tariff.name,
            each.tariff.from_,
            config.document.named_line(place_of(config.document, "tariff", each.tariff)),
            each.changes_from,
        )
