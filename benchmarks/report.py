"""The results as a page for people and as JSON for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.outcome import Figure, Section

BEGIN = "<!-- results: written by `make bench`, do not edit -->"
END = "<!-- end of results -->"


def markdown(sections: Sequence[Section], facts: dict[str, str], *, command: str, when: str, origin: str) -> str:
    """Return the results as Markdown, the bars first."""
    bars = [(section, figure) for section in sections for figure in section.figures if figure.bar is not None]
    short = sum(figure.verdict == "short" for _, figure in bars)
    lines = [
        f"Measured {when} with `{command}`: {len(bars) - short} of {len(bars)} bars reached.",
        "",
        *(f"- {name}: {what}" for name, what in facts.items()),
        f"- readings: {origin}",
        "",
        "| what | measured | bar | |",
        "|---|---:|---:|---|",
        *(f"| {each.what} | {shown(each.value)} {each.unit} | {bar_text(each)} | {each.verdict} |" for _, each in bars),
    ]
    for section in sections:
        lines += ["", f"### {section.title}", ""]
        lines += [f"{note}\n" for note in section.notes]
        lines += [f"Not measured: {missing}\n" for missing in section.missing]
        if section.figures:
            lines += ["| what | measured | bar | |", "|---|---:|---:|---|"]
            lines += [_row(figure) for figure in section.figures]
    return "\n".join(lines) + "\n"


def _row(figure: Figure) -> str:
    said = "; ".join(part for part in (figure.verdict, figure.note) if part)
    return f"| {figure.what} | {shown(figure.value)} {figure.unit} | {bar_text(figure)} | {said} |"


def shown(value: float) -> str:
    """Return a number with as many digits as mean something."""
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def bar_text(figure: Figure) -> str:
    """Return a figure's bar, e.g. `at most 2`; nothing without one."""
    if figure.bar is None:
        return ""
    return f"at {'least' if figure.bar.at_least else 'most'} {shown(figure.bar.limit)}"


def as_json(sections: Sequence[Section], facts: dict[str, str], *, command: str, when: str, origin: str) -> bytes:
    """Return everything measured as one JSON document."""
    document: dict[str, Any] = {"when": when, "command": command, "machine": facts, "readings": origin}
    document["sections"] = [
        {
            "subject": section.subject,
            "title": section.title,
            "notes": section.notes,
            "missing": section.missing,
            "figures": [
                {
                    "what": figure.what,
                    "value": figure.value,
                    "unit": figure.unit,
                    "bar": bar_text(figure) or None,
                    "verdict": figure.verdict or None,
                    "note": figure.note,
                }
                for figure in section.figures
            ],
        }
        for section in sections
    ]
    return msgspec.json.format(msgspec.json.encode(document))


def write_into(page: Path, results: str) -> None:
    """Put the results between the marks in a page. Raises ValueError when it has no marks."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{page} has no place for results: {BEGIN} ... {END}"
        raise ValueError(message)
    page.write_text(f"{before}{BEGIN}\n\n{results}\n{END}{after}", encoding="utf-8")
