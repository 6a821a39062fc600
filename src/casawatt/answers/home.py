"""All that answers questions about the home as a whole, put together."""

import logging
from dataclasses import dataclass

from casawatt.answers.bills import Bills, Terms
from casawatt.answers.consumption import Consumption
from casawatt.answers.costs import Costs
from casawatt.answers.digests import Digests
from casawatt.answers.known import Known
from casawatt.answers.market import Markets
from casawatt.answers.patterns import PatternsOfHome
from casawatt.answers.tariffs import Tariffs
from casawatt.config import Config
from casawatt.config_edit import ConfigFile
from casawatt.model.ports import Clock
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
    digests: Digests
    patterns: PatternsOfHome


def answers_of(config: Config, store: Store, registry: Registry, clock: Clock) -> Answers:
    """Return what answers for a home that is open."""
    consumption = Consumption(store, registry, config.supply.meter)
    markets = Markets(store, config.home.zone)
    bills = Bills(
        consumption, markets, Terms(config.home.currency, config.home.billing_day, config.supply.contracted_w)
    )
    costs = Costs(store, registry, markets)
    known = Known(store, registry, clock, consumption, costs, config.home.currency)
    return Answers(
        consumption,
        costs,
        bills,
        Tariffs(store, bills, ConfigFile(config).tariffs, clock),
        Digests(known),
        PatternsOfHome(known),
    )


def take_tariffs_in(config: Config, store: Store, registry: Registry, clock: Clock) -> None:
    """Take the config's tariffs on record, but for those that would change what time past cost: these are named."""
    for each in answers_of(config, store, registry, clock).tariffs.take_in():
        place = next(place for place, tariff in enumerate(config.tariffs) if tariff.from_ == each.tariff.from_)
        log.warning(
            "the tariff %r from %s (%s) would change what was used since %s costs, so it is not taken: "
            "`casawatt tariffs correct` shows what would change, and does it",
            each.tariff.name,
            each.tariff.from_,
            config.document.named_line(("tariff", str(place))),
            each.changes_from,
        )
