"""What is written down beside readings and what is derived from them: a class for each kind, in a file of its own."""

from casawatt.store.claims import ClaimRows
from casawatt.store.database import Database
from casawatt.store.digests import Digests
from casawatt.store.ledger import LedgerRows
from casawatt.store.logs import EventLog, Followers
from casawatt.store.prices import PriceRows
from casawatt.store.programmes import Programmes
from casawatt.store.tariffs import TariffRows


class Book:
    """Everything of that sort; what each is for says its class."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self.events = EventLog(database)
        self.followers = Followers(database)
        self.claims = ClaimRows(database)
        self.ledger = LedgerRows(database)
        self.tariffs = TariffRows(database)
        self.prices = PriceRows(database)
        self.digests = Digests(database)
        self.programmes = Programmes(database)
