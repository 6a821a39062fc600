"""Divides a bill among members, exactly, with one rounding at the end.

Everything that a bill is made of is a pot (`engine.split_pots`): an amount for each day, and the members who share it
that day. What a member has of all pots, exact fractions, is what they owe. Only then the members' totals are rounded,
so that they add up to the bill, and each member's lines, so that they add up to their total. Neither the order of
members, meters or readings nor the time of asking has any part in it: members and meters are taken by their slugs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import msgspec

from casawatt.engine.largest_remainder import apportion, half_up
from casawatt.engine.split_pots import ZERO, Pot, pots_of, strays
from casawatt.engine.split_weights import Weights, days_present
from casawatt.engine.split_words import Part, Words, kwh
from casawatt.model.member import SplitRules
from casawatt.model.split import Line, LineKind, Owed, Split, Used


def split(used: Used, rules: SplitRules, currency: str, digits: int) -> Split:
    """Return who owes what of what was used. `digits`: of the currency's smallest unit, 2 for cents.

    Where the whole units do not come out even, those who lost most by rounding down get one more; of two who lost the
    same, the one whose slug comes first. Raises ValueError when there are no members, or when the parts of `used` do
    not add up to its total.
    """
    if not rules.members:
        message = "there are no members to split a bill among"
        raise ValueError(message)
    rules = rules.sorted()
    pots = pots_of(used, rules)
    if (together := sum((each.cost for each in pots), ZERO)) != used.total:
        message = f"the parts of the bill are {together} together and its total is {used.total}"
        raise ValueError(message)
    lines: dict[str, list[Line]] = {each.slug: [] for each in rules.members}
    words = Words(currency, len(used.days))
    for pot in pots:
        for slug, line in _lines_of(pot, words):
            lines[slug].append(line)
    days = {each.slug: days_present(each, used.days) for each in rules.members}
    slugs = [slug for slug in lines if lines[slug] or days[slug]] or list(lines)
    exact = [sum((line.amount for line in lines[slug]), ZERO) for slug in slugs]
    scale = 10**digits
    total_units = half_up(used.total * scale)
    units = apportion([amount * scale for amount in exact], total_units)
    owed = [
        Owed(slug, rules.name_of(slug), days[slug], amount, whole, _rounded(lines[slug], whole, scale))
        for slug, amount, whole in zip(slugs, exact, units, strict=True)
    ]
    start, end = used.days[0], used.days[-1] + timedelta(days=1)
    notes = (*used.notes, *_notes(used, rules))
    return Split(start, end, currency, digits, used.total, total_units, tuple(owed), rules, notes)


def _rounded(lines: Sequence[Line], total_units: int, scale: int) -> tuple[Line, ...]:
    units = apportion([line.amount * scale for line in lines], total_units)
    return tuple(msgspec.structs.replace(line, units=whole) for line, whole in zip(lines, units, strict=True))


def _notes(used: Used, rules: SplitRules) -> list[str]:
    names = {each.meter: each.name for each in rules.assignments}
    return [
        f"{names.get(run.meter, run.meter)} {run.when} is claimed by {rules.name_of(run.member)}, "
        "who was not present that day: it is part of the rest."
        for run in sorted(strays(used, rules), key=lambda each: (each.meter, each.start_ms))
    ]


@dataclass(slots=True)
class _Group:
    """The days on which a pot is shared in the same way."""

    days: int = 0
    cost: Fraction = ZERO
    energy_mwh: int = 0


def _lines_of(pot: Pot, words: Words) -> Iterator[tuple[str, Line]]:
    """Yield the line of each member who has a part of a pot; the units are not known yet."""
    groups: dict[Weights, _Group] = {}
    for amount, weights in zip(pot.amounts, pot.weights, strict=True):
        group = groups.setdefault(weights, _Group())
        group.days += 1
        group.cost += amount.cost
        group.energy_mwh += amount.energy_mwh
    parts: dict[str, list[tuple[Part, int]]] = {}
    for weights, group in groups.items():
        whole = sum((weight for _, weight in weights), ZERO)
        for slug, weight in weights if group.cost or group.energy_mwh else ():
            part = Part(weight, whole, group.cost, group.days)
            parts.setdefault(slug, []).append((part, group.energy_mwh))
    for slug, those in sorted(parts.items()):
        mine = sum((part.amount * part.weight / part.whole for part, _ in those), ZERO)
        energy = sum((energy_mwh * part.weight / part.whole for part, energy_mwh in those), ZERO)
        is_energy = pot.kind is not LineKind.FIXED
        why = _why(pot, [part for part, _ in those], words)
        yield slug, Line(pot.kind, pot.subject, mine, 0, energy if is_energy else None, why, pot.run_ms)


def _why(pot: Pot, parts: Sequence[Part], words: Words) -> str:
    """Return the sentence of a line: what the pot is and holds, and which parts of it are the member's."""
    if pot.kind is LineKind.FIXED:
        what = f"{pot.head}: {words.money(pot.cost)}"
    else:
        what = f"{pot.head}: {kwh(pot.energy_mwh)} at the price of each quarter-hour, {words.money(pot.cost)}"
    whole = len(parts) == 1 and parts[0].weight == parts[0].whole and parts[0].amount == pot.cost
    mine = "" if whole else f"; {words.parts(parts, pot.unit)}"
    return f"{what}{mine}.{f' {pot.tail}' if pot.tail else ''}"
