"""Fetches prices as they are published, and keeps fetching them."""

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from casawatt.answers.prices import Prices
from casawatt.config_sections import PricesConfig
from casawatt.engine.localtime import day_start, local_date
from casawatt.engine.price_columns import missing_spans
from casawatt.files.price_values import Manner
from casawatt.files.prices import read_prices
from casawatt.model.errors import CasawattError, PriceError, StoreError
from casawatt.model.ports import Clock
from casawatt.model.price import PriceFormat, Recorded
from casawatt.transports.download import download
from casawatt.transports.secrets import private_text

URLS = {
    PriceFormat.AWATTAR: "https://api.awattar.at/v1/marketdata",
    PriceFormat.ENTSOE: "https://web-api.tp.entsoe.eu/api",
}
RETRY_S = 60.0
"""After a first failure; each further one doubles it, up to `refresh_s`: publishers limit how often they are asked."""

BACK_DAYS_MAX = 31
"""A hole in the prices is filled so far back, e.g. after a time without internet."""

OK, UNAUTHORIZED = 200, 401


@dataclass(frozen=True, slots=True)
class Where:
    """The home's zone and currency."""

    zone: ZoneInfo
    currency: str


class PriceFeed:
    """One series of prices of the config."""

    def __init__(self, name: str, options: PricesConfig, where: Where, prices: Prices, clock: Clock) -> None:
        self.name = name
        self._options = options
        self._where = where
        self._prices = prices
        self._clock = clock
        self._failures = 0
        self._pause_s = 0.0
        self._read: tuple[int, int] | None = None
        zone = ZoneInfo(options.timezone) if options.timezone else where.zone
        self._manner = Manner(currency=where.currency, zone=zone, unit=options.unit, sequence=options.sequence)

    async def run(self) -> None:
        """Fetch now and whenever `refresh_s` has passed, until cancelled. Raises PriceError, StoreError.

        Called again after a failure it waits longer each time before it asks again.
        """
        while True:
            await asyncio.sleep(self._pause_s)
            try:
                await self.fetch()
            except CasawattError:
                self._pause_s = min(RETRY_S * 2 ** min(self._failures, 20), self._options.refresh_s)
                self._failures += 1
                raise
            self._failures = 0
            self._pause_s = self._options.refresh_s

    async def fetch(self) -> Recorded:
        """Fetch the newest prices once and take them in. Raises PriceError when there are none to be had, StoreError.

        A file that has not changed since is not read again.
        """
        token = self._token()
        try:
            name, data = await self._file() if self._options.file else await self._download(token)
            if not data:
                return Recorded()
            read = partial(read_prices, data, self._options.format, name, self._manner)
            prices = await asyncio.to_thread(read)
        except (CasawattError, OSError) as error:
            self._read = None
            message = str(error) or type(error).__name__
            raise PriceError(message.replace(token, "***") if token else message) from None
        try:
            return self._prices.record(self.name, prices)
        except StoreError:
            self._read = None
            raise

    def _token(self) -> str | None:
        """Return the token of the environment, else of its file. Raises ConfigError."""
        if self._options.format is not PriceFormat.ENTSOE or self._options.file is not None:
            return None
        variable = f"CASAWATT_PRICES_{self.name.upper().replace('-', '_')}_TOKEN"
        given = os.environ.get(variable)
        if given is None and self._options.token_file is not None:
            given = private_text(self._options.token_file, "the token")
        if not given or not given.strip():
            message = f"[prices.{self.name}] needs a token: put it into the environment as {variable}, or into a file"
            raise PriceError(f"{message} that token_file names")
        return given.strip()

    async def _file(self) -> tuple[str, bytes]:
        path = Path(self._options.file or "")

        def look() -> tuple[tuple[int, int], bytes]:
            about = path.stat()
            seen = about.st_mtime_ns, about.st_size
            return seen, b"" if seen == self._read else path.read_bytes()

        self._read, data = await asyncio.to_thread(look)
        return str(path), data

    async def _download(self, token: str | None) -> tuple[str, bytes]:
        url = self._options.url or URLS[self._options.format]
        status, body = await download(url, self._query(token), redirects=token is None)
        name = url.partition("?")[0]
        if status == UNAUTHORIZED and token:
            raise PriceError(f"{name} refuses the token of [prices.{self.name}]")
        if status != OK:
            if b"Acknowledgement_MarketDocument" in body[:2000]:
                read_prices(body, PriceFormat.ENTSOE, name, self._manner)  # tells the reason that is in it
            raise PriceError(f"{name} answered with status {status}")
        return name, body

    def _query(self, token: str | None) -> dict[str, str]:
        """Return what to ask for: from the first hole in the last month, or yesterday, to the end of tomorrow."""
        if self._options.format is PriceFormat.CSV:
            return {}
        start_ms, end_ms = self._span()
        if self._options.format is PriceFormat.AWATTAR:
            return {"start": str(start_ms), "end": str(end_ms)}
        start, end = (datetime.fromtimestamp(each / 1000, UTC).strftime("%Y%m%d%H%M") for each in (start_ms, end_ms))
        area = self._options.area or ""
        query = {"documentType": "A44", "in_Domain": area, "out_Domain": area, "periodStart": start, "periodEnd": end}
        return query | {"securityToken": token or ""}

    def _span(self) -> tuple[int, int]:
        zone = self._where.zone
        today = local_date(zone, self._clock.now_ms())
        start, end = day_start(zone, today - timedelta(days=1)), day_start(zone, today + timedelta(days=2))
        kept = next((each for each in self._prices.series() if each.name == self.name), None)
        if kept is None or kept.start_ms is None:
            return start, end
        first = max(kept.start_ms, day_start(zone, today - timedelta(days=BACK_DAYS_MAX)))
        holes = missing_spans(self._prices.rates(self.name, first, start), first, start) if first < start else []
        return (day_start(zone, local_date(zone, holes[0][0])) if holes else start), end
