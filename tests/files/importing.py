"""Imports into a home on a real store, for tests of the sources of history."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from casawatt import config as configs
from casawatt.cli.import_run import destinations, record
from casawatt.cli.import_show import compare
from casawatt.cli.places import Place
from casawatt.files.import_report import Report
from casawatt.files.importable import Importable

ROME = ZoneInfo("Europe/Rome")


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: its report, and the totals of each month as they are shown."""

    report: Report
    months: list[dict[str, Any]]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Recorded, there already, rejected."""
        return self.report.recorded, self.report.duplicates, self.report.rejected.total()

    def month(self, name: str, meter: str = "mains") -> dict[str, Any]:
        """Return the totals of one month."""
        (found,) = [each for each in self.months if (each["month"], each["meter"]) == (name, meter)]
        return found


def place_in(folder: Path) -> Place:
    """Return a home in Rome whose data is in `folder`."""
    return Place(configs.parse('[home]\ntimezone = "Europe/Rome"\n', "test.toml"), folder / "data", demo=False)


def imported(folder: Path, source: Importable, **said: str) -> Imported:
    """Import a source into the home in `folder`; `said` maps series to meters."""
    wanted = destinations(source.understood, said, {})
    report = Report(ROME)
    months = record(place_in(folder), source, wanted, report, quiet=True)
    return Imported(report, compare(report, months, wanted))
