"""How commands print: tables for people, JSON for programs, errors to the error stream."""

import json
import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, markup=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

NUMERIC = re.compile(r"(?:.* )?(?:k?Wh|W|%|A|[A-Z]{3}(?: a year)?)")
"""The names of columns of numbers end in a unit, or a currency."""


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """Print rows below their column names; columns whose name ends in a unit stand to the right.

    What is too long is folded, never cut: people copy addresses.
    """
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if NUMERIC.fullmatch(name) else "left", overflow="fold")
    for row in rows:
        table.add_row(*("–" if cell is None else str(cell) for cell in row))
    out.print(table, soft_wrap=False)


def watts(power_w: float | None) -> str | None:
    """Return power as people read it: `85 W`, `2.31 kW`."""
    if power_w is None:
        return None
    return f"{power_w / 1000:.2f} kW" if abs(power_w) >= 1000 else f"{power_w:.0f} W"


def duration(seconds: float) -> str:
    """Return a duration as people read it, what is less than a second left out: `2 h 05 min`, `1 min 50 s`, `9 s`."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


def amperes(current_a: float | None) -> str | None:
    """Return current as people read it: `4.35 A`."""
    return None if current_a is None else f"{current_a:.2f} A"


def complain(error: Exception) -> None:
    """Print an error that was expected, in one line, to the error stream."""
    err.print("casawatt: ", style="bold red", end="")
    err.print(str(error))
