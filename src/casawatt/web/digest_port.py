"""What the web layer asks about days."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from casawatt.model.digest import Digest, ToldBefore


class DigestPort(Protocol):
    """The digests of local days, as their figures are now."""

    @property
    def today(self) -> date:
        """The local day that it is."""
        ...

    def of(self, day: date, resolutions: Sequence[int] = ()) -> Digest:
        """Return the digest of a day, with its power at each of the resolutions (minutes that divide a day).

        Raises NoSuchDayError for a day that has not begun or never was, StoreError.
        """
        ...

    def told(self, digest: Digest) -> ToldBefore | None:
        """Return when a day was told, and what of it is different now; None when it was not. Raises StoreError."""
        ...
