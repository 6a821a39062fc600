"""A data folder that an older casawatt wrote, when it is about to be only read."""

from contextlib import closing
from pathlib import Path

from casawatt.store.database import Database
from casawatt.store.lock import FolderLock
from casawatt.store.schema import DATABASE_NAME


def bring_up_to_date(folder: Path) -> None:
    """Bring the database to the newest format where it is of an older one.

    Raises StoreBusyError when a service, which is then an older one, runs on it; StoreError when it cannot be done.
    """
    path = folder / DATABASE_NAME
    if not path.exists():
        return
    with closing(Database(path, read_only=True)) as database:
        if database.is_current:
            return
    lock = FolderLock(folder)
    try:
        Database(path, read_only=False).close()
    finally:
        lock.release()
