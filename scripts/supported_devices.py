#!/usr/bin/env python3
"""Writes the README's table of supported devices, from the tables on the pages in docs/devices.

supported_devices.py          writes it
supported_devices.py --check  exit code 1 when it is not what the pages say

A source's page says what it reads in a table whose first column is called `device`; each line of it becomes one of the
README's, with a link to the page.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = ROOT / "docs" / "devices"
BEGIN = "<!-- made by scripts/supported_devices.py from docs/devices -->"
END = "<!-- end of what is made -->"
COLUMNS = ["device", "reached by", "measures", "energy from"]


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def devices(page: Path) -> list[list[str]]:
    """Return the lines of the page's table of devices; raises SystemExit when it has none, or one of other columns."""
    found: list[list[str]] = []
    inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
        elif cells(line)[0] == "device":
            inside = True
            if cells(line) != COLUMNS:
                sys.exit(f"{page}: the table of devices has the columns {cells(line)}, not {COLUMNS}")
        elif inside and not set(cells(line)[0]) <= set("-: "):
            found.append(cells(line))
    if not found:
        sys.exit(f"{page}: there is no table whose first column is `device`")
    return found


def sources() -> list[str]:
    """Return the names of all sources: the files that define a `run`."""
    files = (ROOT / "src" / "casawatt" / "sources").glob("*.py")
    return sorted(file.stem for file in files if "\nasync def run(" in file.read_text(encoding="utf-8"))


def table() -> str:
    """Return the README's table."""
    lines = [[*COLUMNS, "config section"], ["---"] * (len(COLUMNS) + 1)]
    for name in sources():
        section = f"[`[source.{name}]`](docs/devices/{name}.md)"
        lines += [[*device, section] for device in devices(PAGES / f"{name}.md")]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Write the table, or with `--check` say whether it is as it should be."""
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{README}: there is no place for the table, between {BEGIN} and {END}")
    made = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" in sys.argv[1:]:
        wrong = f"{README}: its devices are not what the pages say. Run: scripts/supported_devices.py"
        sys.exit(0 if made == text else wrong)
    README.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
