"""`casawatt patterns`: what is usual, and what is not."""

from datetime import datetime
from typing import Annotated, Any

import typer

from casawatt.cli.asking import ask
from casawatt.cli.output import out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.web.patterns_documents import meter_patterns_document, patterns_document


def patterns(
    meter: Annotated[str | None, typer.Option(help="Only of this meter, with its usual days.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what always flows, usual days and peaks, what is unusual today, what uses more than it did."""
    place = find(config, data)
    if meter is None:
        document = ask(place, lambda service: service.get("/api/v1/patterns"), patterns_document)
    else:
        document = ask(
            place,
            lambda service: service.get(f"/api/v1/meters/{meter}/patterns"),
            lambda ports: meter_patterns_document(ports, meter),
        )
    if as_json:
        print_json(document)
        return
    show(document)


def show(document: dict[str, Any]) -> None:
    """Print the patterns of the home, or of one meter."""
    several = [document["pattern"]] if "pattern" in document else [document["home"], *document["meters"]]
    currency = document["currency"]
    columns = "of", "always W", "of all %", f"{currency} a year", "usual peak W", "highest W", "when"
    print_table(columns, [_row(each) for each in several])
    _show_profiles(several[0]["profiles"])
    for sentence in _sentences(several):
        out.print()
        out.print(sentence)
    _show_balances(document.get("balances", []))


def _row(pattern: dict[str, Any]) -> tuple[Any, ...]:
    base, peaks = pattern["base"], pattern["peaks"]
    highest = peaks["highest"][0] if peaks else None
    share = base["share"] if base else None
    return (
        pattern["meter"] or "home",
        f"{base['power_w']:.1f}" if base else None,
        None if share is None else round(share * 100),
        base["year_cost"] if base else None,
        f"{peaks['usual_w']:.0f}" if peaks else None,
        f"{highest['power_w']:.0f}" if highest else None,
        highest["quarter"][:16].replace("T", " ") if highest else None,
    )


def _show_profiles(profiles: list[dict[str, Any]]) -> None:
    """Print the usual days hour by hour: the means of their medians; JSON has the quarter-hours and the quartiles."""
    if not profiles:
        return
    out.print()
    rows = [
        (f"{hour:02d}:00", *(_hour(profile["median_w"][hour * 4 : hour * 4 + 4]) for profile in profiles))
        for hour in range(24)
    ]
    print_table(("usually", *(f"{profile['weekday'][:3].capitalize()} W" for profile in profiles)), rows)


def _hour(quarters: list[float | None]) -> str | None:
    said = [each for each in quarters if each is not None]
    return f"{sum(said) / len(said):.0f}" if said else None


def _sentences(several: list[dict[str, Any]]) -> list[str]:
    """Return what is unusual and what uses more, in words."""
    # Where one meter is the home, both are unusual by the same: it is said once.
    unusual = {(each["unusual"]["energy_wh"], each["unusual"]["usual_wh"]): each for each in several if each["unusual"]}
    sentences = [each["unusual"]["sentence"] for each in unusual.values()]
    return sentences + [rise["sentence"] for each in several for rise in each["rises"]]


def _show_balances(balances: list[dict[str, Any]]) -> None:
    if not balances:
        return
    rows: list[tuple[Any, ...]] = []
    for each in balances:
        days = (datetime.fromisoformat(each["end"]).date() - datetime.fromisoformat(each["start"]).date()).days
        behind = sum(part["energy_wh"] for part in each["behind"])
        measured = f"{100 * each['common'] / each['quarters']:.1f}"
        kwh = (f"{energy / 1000:.3f}" for energy in (each["energy_wh"], behind, each["rest_wh"]))
        rows.append((each["meter"], "yesterday" if days == 1 else f"{days} days", *kwh, measured))
    out.print()
    print_table(("balance of", "over", "kWh", "behind it kWh", "not metered kWh", "compared %"), rows)
    for each in balances:
        if each["rest_wh"] < 0:
            why = "; or ".join(each["causes"])
            out.print(f"More was measured behind {each['meter']} than by it from {each['start'][:10]} on: {why}.")
