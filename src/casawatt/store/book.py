"""What is written down beside readings and what is derived from them: a class for each kind, in a file of its own."""

from casawatt.store.database import Database
from casawatt.store.logs import EventLog, Followers


class Book:
    """Everything of that sort. `events`: what happened; `followers`: how far each of those who follow has come."""

    def __init__(self, database: Database) -> None:
        """Read from and write to `database`."""
        self.events = EventLog(database)
        self.followers = Followers(database)
