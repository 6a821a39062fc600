"""`python -m tests.tight_service ...`: casawatt with little memory for what waits, and a hasty keeper."""

from casawatt.__main__ import main
from casawatt.recorder import keeper
from casawatt.store.store import Store

WAITING_BYTES_MAX = 40_000
SEAL_RECORDS = 400


if __name__ == "__main__":
    settings = Store.open.__func__.__kwdefaults__  # type: ignore[attr-defined] # a class method is a function inside
    settings.update(waiting_bytes_max=WAITING_BYTES_MAX, seal_records=SEAL_RECORDS)
    keeper.FLUSH_S = keeper.SETTLE_S = keeper.SEAL_CHECK_S = keeper.SEAL_RETRY_S = 0.02
    main()
