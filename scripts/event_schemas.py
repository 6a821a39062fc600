#!/usr/bin/env python3
"""Writes the JSON Schema of each type of event into docs/schemas, made from the classes of their data.

event_schemas.py          writes them, and removes those of types there are no more
event_schemas.py --check  exit code 1 when they are not what the classes say
"""

import json
import sys
from pathlib import Path

from casawatt.model.event_schemas import schema_of
from casawatt.model.event_types import EVENT_TYPES

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"


def main() -> None:
    """Write the schemas, or with `--check` say whether they are as they should be."""
    made = {f"{name}.json": json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n" for name in EVENT_TYPES}
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*")}
    if "--check" in sys.argv[1:]:
        names = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
        wrong = f"{FOLDER}: not what the classes say: {', '.join(names)}. Run: scripts/event_schemas.py"
        sys.exit(wrong if names else 0)
    FOLDER.mkdir(exist_ok=True)
    for name in there.keys() - made.keys():
        (FOLDER / name).unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
