"""Bills of a home: its consumption by its tariffs."""

from dataclasses import dataclass
from datetime import date, timedelta

from casawatt.answers.consumption import Billed, Consumption
from casawatt.answers.market import Markets
from casawatt.engine.billing import Home, bill, first_of_next_month
from casawatt.engine.localtime import day_start
from casawatt.engine.periods import Period, a_year_before, before, billing_month_of
from casawatt.engine.pricing import Market
from casawatt.model.bill import Bill
from casawatt.model.errors import BillError
from casawatt.model.money import digits_of
from casawatt.model.quarters import Quarters

HISTORY_YEARS = 1


@dataclass(frozen=True, slots=True)
class Terms:
    """What the config says of how the home is billed. `contracted_w`: the power that is paid for, None if unsaid."""

    currency: str
    billing_day: int = 1
    contracted_w: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A bill beside that of the period before and of the same days a year before; None where nothing was measured."""

    bill: Bill
    before: Bill | None
    year_before: Bill | None


class Bills:
    """Makes bills of any period. All figures are those of now: later readings and corrections are in them."""

    def __init__(self, consumption: Consumption, markets: Markets, terms: Terms) -> None:
        self.consumption = consumption
        self.terms = terms
        self._markets = markets

    def billed(self) -> Billed:
        """Return the meters that are billed. Raises RegistryError when there are none."""
        return self.consumption.billed()

    def market(self, period: Period) -> Market:
        """Return what a kWh costs in a period, and the year before."""
        zone = self._markets.zone
        return self._markets.market(day_start(zone, _history_start(period)), day_start(zone, period.end))

    def quarters(self, period: Period) -> Quarters:
        """Return the billed quarter-hours of the calendar months that a period is in, and of the twelve before them."""
        zone = self._markets.zone
        end = first_of_next_month(period.end - timedelta(days=1))
        return self.consumption.quarters(day_start(zone, _history_start(period)), day_start(zone, end))

    def bill(self, period: Period) -> Bill:
        """Return the bill of a period. Raises BillError when no tariff holds on any of its days, StoreError."""
        return self.bill_by(period, self.market(period), self.quarters(period))

    def bill_by(self, period: Period, market: Market, quarters: Quarters) -> Bill:
        """Return the bill of some consumption, which may never have been, by whatever prices. Raises BillError."""
        if not market.tariffs:
            message = "there is no tariff: write a section [[tariff]] into the config, with what electricity costs"
            raise BillError(message)
        first = market.tariffs[0].tariff.from_
        if first >= period.end:
            message = f"the first tariff holds from {first} on, after the period from {period.start} until {period.end}"
            raise BillError(message)
        return bill(quarters, *period, Home(market, self.terms.currency, self.terms.contracted_w))

    def compared(self, period: Period) -> Compared:
        """Return the bill of a period beside those of the period before and of the year before."""
        billing_day = self.terms.billing_day
        others = [self._if_measured(each) for each in (before(period, billing_day), a_year_before(period, billing_day))]
        return Compared(self.bill(period), *others)

    def ends(self, period: Period) -> date | None:
        """Return the day before which the billing month ends that a period is the first days of, None for any other."""
        month = billing_month_of(period.start, self.terms.billing_day)
        return month.end if month.start == period.start and period.end < month.end else None

    def bill_or_none(self, period: Period, market: Market, quarters: Quarters) -> Bill | None:
        """Return the same as `bill_by`, None where no tariff holds."""
        try:
            return self.bill_by(period, market, quarters)
        except BillError:
            return None

    @property
    def digits(self) -> int:
        """How many decimal places the currency has."""
        return digits_of(self.terms.currency)

    def _if_measured(self, period: Period) -> Bill | None:
        made = self.bill_or_none(period, self.market(period), self.quarters(period))
        return made if made and (made.measured_ms or made.energy_mwh) else None


def _history_start(period: Period) -> date:
    """Return the first day that a capacity charge of the period looks back to."""
    return first_of_next_month(date(period.start.year - HISTORY_YEARS, period.start.month, 1))
