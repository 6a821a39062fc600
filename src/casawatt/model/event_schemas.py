"""The JSON Schema of each type of event, made from the struct of its data."""

import re
from typing import Any

import msgspec

from casawatt.model.event_types import EVENT_TYPES

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_id(name: str) -> str:
    """Return the URI that a type's schema is known by wherever the event goes: its `dataschema`."""
    return f"urn:casawatt:schema:{name}"


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of the `data` of a type of event; raises KeyError when there is no such type."""
    made = msgspec.json.schema(EVENT_TYPES[name])
    for each in made["$defs"].values():
        if "description" in each:
            each["description"] = _in_paragraphs(each["description"])
    return {"$schema": DIALECT, "$id": schema_id(name), **made}


def _in_paragraphs(docstring: str) -> str:
    """Return a docstring with each paragraph on one line, whatever it was indented by."""
    paragraphs = re.split(r"\n\s*\n", docstring.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
