"""`python -m tests.tight_service ...`: casawatt with little memory for what waits, and a hasty keeper."""

import functools

from casawatt import app
from casawatt.__main__ import main
from casawatt.recorder import keeper
from casawatt.store.store import Store

WAITING_BYTES_MAX = 40_000
SEAL_RECORDS = 400


class TightStore(Store):
    """A store that seals early and lets little wait."""

    open = functools.partial(Store.open, waiting_bytes_max=WAITING_BYTES_MAX, seal_records=SEAL_RECORDS)


if __name__ == "__main__":
    app.Store = TightStore  # type: ignore[misc] # the one place that opens a store
    keeper.FLUSH_S = keeper.SETTLE_S = keeper.SEAL_CHECK_S = keeper.SEAL_RETRY_S = 0.02
    main()
