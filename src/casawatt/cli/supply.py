"""`casawatt supply` and `casawatt alarms`: how long until the breaker acts, and how each alarm stands."""

from typing import Any

from casawatt.cli.asking import ask
from casawatt.cli.output import duration, out, print_json, print_table
from casawatt.cli.places import ConfigOption, DataOption, JsonOption, find
from casawatt.web.supply_documents import alarms_document, supply_document


def supply(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show how long until the limiter switches the home off at the present power, and what to stop."""
    document = ask(find(config, data), lambda service: service.get("/api/v1/supply"), supply_document)
    if as_json:
        print_json(document)
        return
    for sentence in _sentences(document):
        out.print(sentence)
    if document["tiers"]:
        out.print()
        columns = "tier", "above W", "may last", "has lasted", "acts in", "not measured s"
        print_table(columns, [_tier_row(each) for each in document["tiers"]])


def alarms(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show how each alarm of the config stands."""
    document = ask(find(config, data), lambda service: service.get("/api/v1/alarms"), alarms_document)
    if as_json:
        print_json(document)
        return
    columns = "alarm", "meter", "state", "power W", "when", "for", "so far", "on"
    print_table(columns, [_alarm_row(each) for each in document["alarms"]])
    for each in document["alarms"]:
        if each["why"]:
            out.print(f"{each['name']}: {each['why']}")


def _sentences(document: dict[str, Any]) -> list[str]:
    said = []
    if document["power_w"] is not None:
        said.append(f"{document['power_w']:.0f} W at {document['said_at'][11:19]}, by {document['meter']}")
    if document["state"] == "normal":
        said.append("At this power the limiter does not act.")
    if document["state"] == "over":
        earlier = f", or up to {duration(document['unknown_s'])} earlier" if document["unknown_s"] else ""
        said.append(f"At this power the limiter acts in {duration(document['trip_in_s'])}{earlier}.")
    if document["stop"]:
        names = ", ".join(f"{each['meter']} ({each['power_w']:.0f} W)" for each in document["stop"])
        said.append(f"To avoid it stop: {names}" + ("." if document["enough"] else ". That alone is not enough."))
    elif document["enough"] is False:
        said.append("No appliance with a meter of its own is on that could be stopped.")
    if document["due_at"]:
        said.append(f"It should have acted at {document['due_at'][11:19]}: are the tiers those of your meter?")
    if document["why"]:
        said.append(document["why"][0].upper() + document["why"][1:] + ".")
    return said


def _tier_row(tier: dict[str, Any]) -> tuple[Any, ...]:
    return (
        tier["tier"],
        f"{tier['above_w']:.0f}",
        duration(tier["limit_s"]),
        duration(tier["above_s"]) if tier["above_s"] else None,
        None if tier["trip_in_s"] is None else duration(tier["trip_in_s"]),
        f"{tier['unknown_s']:.0f}" if tier["unknown_s"] else None,
    )


def _alarm_row(alarm: dict[str, Any]) -> tuple[Any, ...]:
    above_w, hours = alarm["above_w"], alarm["hours"]
    return (
        alarm["name"],
        alarm["meter"],
        alarm["state"],
        None if alarm["power_w"] is None else f"{alarm['power_w']:.0f}",
        f"below {alarm['below_w']:g} W" if above_w is None else f"above {above_w:g} W",
        duration(alarm["for_s"]),
        duration(alarm["beyond_s"]) if alarm["beyond_s"] else None,
        "always" if hours is None else f"{hours['start']}-{hours['end']} {' '.join(hours['weekdays'])}",
    )
