"""What is written down beside readings and what is derived from them: a class for each kind, in a file of its own."""

from casawatt.store.claims import ClaimRows
from casawatt.store.database import Database
from casawatt.store.digests import Digests
from casawatt.store.ledger import LedgerRows
from casawatt.store.logs import EventLog, Followers


class Book:
    """Everything of that sort.

    `events`: what happened; `followers`: how far each of those who follow has come; `claims`: who used a meter when;
    `ledger`: splits that are closed; `digests`: the days that were told.
    """

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self.events = EventLog(database)
        self.followers = Followers(database)
        self.claims = ClaimRows(database)
        self.ledger = LedgerRows(database)
        self.digests = Digests(database)
