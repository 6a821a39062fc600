"""How imports are shown: first what was understood, in the end what became of it."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

from casawatt.cli.import_home import KnownMeter
from casawatt.cli.output import out, print_json, print_table, watts
from casawatt.cli.times import local
from casawatt.files.import_report import Report
from casawatt.files.importable import Understood

SHOWN_MAX = 20
"""So many rejected rows and notes are printed; JSON has all that were kept."""

SAME_WH = 0.5
"""Totals that are no further apart than this are the same."""

UNEXPLAINED = "other readings of the meter lie in this month, or the meter counts these by another rule"


def show_preview(
    understood: Understood,
    wanted: Mapping[str, str],
    known: Mapping[str, KnownMeter],
    zone: ZoneInfo,
    *,
    as_json: bool,
    alone: bool,
) -> None:
    """Print what was understood of a source; as JSON only when it is all that is asked for."""
    if as_json:
        if alone:
            series = [msgspec.to_builtins(each) | {"slug": wanted.get(each.name)} for each in understood.series]
            print_json(msgspec.to_builtins(understood) | {"series": series})
        return
    out.print(understood.summary)
    for column, meaning in understood.columns:
        out.print(f"  {column}: {'left out' if meaning == '-' else meaning}")
    for note in understood.notes:
        out.print(f"  note: {note}")
    there = [slug for slug, meter in known.items() if meter.made]
    rows = [
        (each.name or None, each.what, slug or "left out", "there" if slug in there else "new" if slug else None)
        for each in understood.series
        for slug in (wanted.get(each.name),)
    ]
    print_table(("series", "is", "goes to meter", "which is"), rows)
    if understood.rows:
        show_rows(understood, zone)
    for place, why in understood.refused[:5]:
        out.print(f"  {place} cannot be understood: {why}")


def show_rows(understood: Understood, zone: ZoneInfo) -> None:
    """Print the first rows of a source."""
    rows = [
        (local(row.time_ms, zone), row.part or None, watts(row.power_w), row.register_wh, row.current_a)
        for row in understood.rows
    ]
    print_table(("time", "series", "power W", "register Wh", "current A"), rows)


def show_report(
    report: Report, months: Mapping[tuple[str, str], float], wanted: Mapping[str, str], *, as_json: bool
) -> None:
    """Print what became of a source. `months` is the home's own energy in Wh by series and month."""
    totals = compare(report, months, wanted)
    spans = list(report.spans.values())
    first = local(min((span[0] for span in spans), default=None), report.zone)
    last = local(max((span[1] for span in spans), default=None), report.zone)
    if as_json:
        print_json(
            {
                "lines": report.lines,
                "readings": report.readings,
                "recorded": report.recorded,
                "duplicates": report.duplicates,
                "rejected": dict(report.rejected),
                "rejections": [msgspec.to_builtins(each) for each in report.rejections],
                "skipped_series": dict(report.left_out),
                "first": first,
                "last": last,
                "months": totals,
                "notes": report.notes,
            }
        )
        return
    out.print(
        f"{report.lines} lines, {report.readings} readings from {first} to {last}: {report.recorded} recorded,"
        f" {report.duplicates} there already, {report.rejected.total()} rejected."
    )
    if totals:
        show_totals(totals)
    for part, count in report.left_out.items():
        out.print(f"  series {part}: {count} readings left out")
    show_notes(report)


def show_totals(totals: list[dict[str, object]]) -> None:
    """Print the totals of each month beside those of the source."""
    rows = []
    for each in totals:
        home_wh, own_wh, difference_wh = (each[name] for name in ("home_wh", "own_wh", "difference_wh"))
        values = [value for value in (own_wh, home_wh, difference_wh) if isinstance(value, float)]
        figures = [f"{round(value / 1000, 3) + 0.0:.3f}" for value in values]  # adding zero: no "-0.000"
        rows.append((each["meter"], each["month"], *figures, each["reason"] or ""))
    print_table(("meter", "month", "source kWh", "home kWh", "difference kWh", "because"), rows)


def show_notes(report: Report) -> None:
    """Print what a person should know, and what was rejected."""
    for note in report.notes[:SHOWN_MAX]:
        out.print(f"  note: {note}")
    if more := report.notes_left_out + max(0, len(report.notes) - SHOWN_MAX):
        out.print(f"  {more} more notes")
    for cause, count in report.rejected.items():
        out.print(f"  rejected, {cause}: {count}")
    for each in report.rejections[:SHOWN_MAX]:
        out.print(f"  {each.place}: {each.detail}" + (f": {each.text!r}" if each.text else ""))


def compare(
    report: Report, months: Mapping[tuple[str, str], float], wanted: Mapping[str, str]
) -> list[dict[str, object]]:
    """Return each month's total of the source beside the home's, with the reason where they differ."""
    totals: list[dict[str, object]] = []
    for series, month in sorted({*months, *report.own_wh}):
        own_wh, home_wh = report.own_wh.get((series, month), 0.0), months.get((series, month), 0.0)
        difference_wh = home_wh - own_wh
        reasons = "; ".join(report.reasons.get((series, month), ())) or UNEXPLAINED
        totals.append(
            {
                "meter": wanted[series],
                "series": series,
                "month": month,
                "own_wh": round(own_wh, 3),
                "home_wh": round(home_wh, 3),
                "difference_wh": round(difference_wh, 3),
                "reason": reasons if abs(difference_wh) >= SAME_WH else None,
            }
        )
    return totals
