"""Reads what the service counted out of its Prometheus page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SAMPLE = re.compile(r"casawatt_refused_total\{(?P<labels>.*)\} (?P<value>\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Refused:
    """So many things of one source and sender could not be used, for one cause."""

    source: str
    sender: str
    cause: str
    count: int


def refused(text: str) -> Iterator[Refused]:
    """Yield what was refused, from the text of `/metrics`."""
    for line in text.splitlines():
        if found := SAMPLE.fullmatch(line):
            labels = dict(LABEL.findall(found["labels"]))
            yield Refused(labels["source"], labels["sender"], labels["cause"], round(float(found["value"])))
