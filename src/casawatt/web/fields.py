"""Kinds of fields that many documents have."""

from typing import Annotated

from msgspec import Meta

Time = Annotated[
    str, Meta(description="RFC 3339, with the offset of the home's zone", extra_json_schema={"format": "date-time"})
]
Coverage = Annotated[float, Meta(ge=0, le=1, description="The share of the time that was really measured")]
