"""The errors a caller may have to handle, one class for each kind of handling."""


class CasawattError(Exception):
    """Base of every error that casawatt raises on purpose; its text is meant for a person."""


class ConfigError(CasawattError):
    """The config cannot be used; the text names the file, the line and the option."""


class PacketError(CasawattError):
    """Bytes from a device could not be understood or trusted.

    `cause` is a short fixed word that counts are kept by (`length`, `replay`, ...);
    the text says the particulars.
    """

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class StoreError(CasawattError):
    """The store cannot do what was asked; the text names the file."""


class StoreBusyError(StoreError):
    """Another service holds this data folder; the text names its process and address."""


class StoreFullError(StoreError):
    """The disk is full and the bounded memory behind it too: this reading was not kept."""


class StoreCorruptError(StoreError):
    """What was read back is not what was written; the text names the file and the place."""


class RegistryError(CasawattError):
    """A meter, device or binding that cannot be as asked; the text says which and why."""


class TakenError(RegistryError):
    """Something that can be had only once is taken; `field` says which of `slug` and `address` it is."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class UnknownMeterError(RegistryError):
    """There is no meter of that slug."""


class UnknownMemberError(RegistryError):
    """There is no member of that slug."""


class UnknownDecisionError(RegistryError):
    """There is no such correction, binding or claim, or it was taken back already."""


class LedgerError(CasawattError):
    """A period cannot be split or closed as asked; the text says why and what to do instead."""


class PriceError(CasawattError):
    """Prices that cannot be as asked; the text says which and why."""


class UnknownSeriesError(PriceError):
    """There is no series of prices of that name."""


class UnknownRunError(CasawattError):
    """The meter has no run that began then."""


class ImportFileError(CasawattError):
    """A file to import cannot be understood at all; the text names the file and the line."""


class BillError(CasawattError):
    """There can be no bill as it was asked for; the text says what is missing."""


class NoSuchDayError(CasawattError):
    """There is nothing to say of that day: it has not begun, or the home's zone left it out."""
