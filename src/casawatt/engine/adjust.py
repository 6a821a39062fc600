"""What is made good when a closed split would come out differently now.

The figures of a closed period are compared with those it was last told by: as it was closed, or as it was restated
when a later period was closed. So what was asked of a member when it was closed and all adjustments since are together
exactly what the member would owe now.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

from casawatt.engine.split_words import Words, kwh
from casawatt.model.member import Member, SplitRules
from casawatt.model.split import Adjustment, Line, LineKind, Owed, Split, Statement

REASONS_MAX = 3
"""So many differences are named at most, the largest."""

Key: TypeAlias = tuple[LineKind, str, int]


def rules_for(closed: Split, now: SplitRules) -> SplitRules:
    """Return the rules that a closed split is made anew by.

    How things are divided, and whose each meter is, stay as they were when it was closed: who changes them means the
    time to come. When members came and left is what it is known to be now; a member who is not in the config any more
    stays as they were, one who was not in it yet takes part.
    """
    known = {each.slug: each for each in now.members}
    before = {each.slug for each in closed.rules.members}
    members = [_with_dates_of(each, known.get(each.slug, each)) for each in closed.rules.members]
    members += [each for each in now.members if each.slug not in before]
    return SplitRules(closed.rules.rest, tuple(members), closed.rules.assignments).sorted()


def _with_dates_of(member: Member, known: Member) -> Member:
    return Member(member.slug, member.name, known.joined, known.left, member.room_m2, member.share)


def last_told(closed: Split, later: Sequence[Statement]) -> Split:
    """Return the split that a closed period was last told by. `later`: what was closed after it, oldest first."""
    told = [each for statement in later for each in statement.restated if each.start == closed.start]
    return told[-1] if told else closed


def adjustments(before: Split, now: Split) -> tuple[Adjustment, ...]:
    """Return what each member pays more or less for a period whose figures are different now, ascending by slug.

    Their sum is the difference of the two bills.
    """
    owed = {each.member: each for each in before.members}, {each.member: each for each in now.members}
    found = []
    for slug in sorted(owed[0].keys() | owed[1].keys()):
        units = now.units_of(slug) - before.units_of(slug)
        if not units:
            continue
        was, is_ = owed[0].get(slug), owed[1].get(slug)
        name = (is_ or was or _nobody(slug)).name
        why = f"For {period(before)}: {'; '.join(_reasons(was, is_, before, now))}."
        found.append(Adjustment(before.start, before.end, slug, name, units, why))
    return tuple(found)


def period(split: Split) -> str:
    """Return the dates of a split for a sentence."""
    return f"{split.start} until before {split.end}"


def _nobody(slug: str) -> Owed:
    return Owed(slug, slug, 0, Fraction(0), 0, ())


def _reasons(was: Owed | None, is_: Owed | None, before: Split, now: Split) -> Iterator[str]:
    """Yield why a member owes something else: other dates, then the lines that differ most."""
    slug = (is_ or was or _nobody("")).member
    yield from _dates(slug, before.rules, now.rules)
    words = Words(now.currency, 0)
    old, new = _lines(was), _lines(is_)
    changes: list[tuple[Fraction, str]] = []
    for key in sorted(old.keys() | new.keys()):
        difference = (new[key].amount if key in new else 0) - (old[key].amount if key in old else Fraction(0))
        if difference:
            changes.append((difference, _change(key, old.get(key), new.get(key), words)))
    changes.sort(key=lambda each: -abs(each[0]))  # stable: equal ones stay in the order of their lines
    for difference, what in changes[:REASONS_MAX]:
        sign = "+" if difference > 0 else ""
        yield f"{what} ({sign}{words.money(difference)})"
    if len(changes) > REASONS_MAX:
        others = sum((difference for difference, _ in changes[REASONS_MAX:]), Fraction(0))
        many = len(changes) - REASONS_MAX
        what = "1 smaller difference" if many == 1 else f"{many} smaller differences"
        yield f"{what} ({words.money(others)}{' together' if many > 1 else ''})"
    if not changes:
        yield "the whole bill is rounded differently"


def _dates(slug: str, before: SplitRules, now: SplitRules) -> Iterator[str]:
    for member in now.members:
        was = next((each for each in before.members if each.slug == member.slug), None)
        who = "the member" if member.slug == slug else member.name
        if was is None:
            yield f"{member.name} is a member of that time too"
            continue
        if was.joined != member.joined:
            yield f"{who} joined on {member.joined or 'no known day'}, not on {was.joined or 'no known day'}"
        if was.left != member.left:
            yield f"the last day of {who} is {member.left or 'not known'}, not {was.left or 'open'}"


def _lines(owed: Owed | None) -> dict[Key, Line]:
    return {(line.kind, line.subject or "", line.run_ms or 0): line for line in (owed.lines if owed else ())}


def _change(key: Key, old: Line | None, new: Line | None, words: Words) -> str:
    kind, subject, _ = key
    what = NAMES[kind].format(subject)
    if old is None or new is None:
        return f"{what} is new" if old is None else f"{what} is no more"
    if old.energy_mwh is not None and new.energy_mwh is not None and old.energy_mwh != new.energy_mwh:
        return f"{what} is {kwh(new.energy_mwh)}, not {kwh(old.energy_mwh)}"
    return f"{what} costs {words.money(new.amount)}, not {words.money(old.amount)}"


NAMES = {
    LineKind.OWNED: "the own energy of {}",
    LineKind.SHARED: "the share of {}",
    LineKind.CLAIMED: "a claimed run of {}",
    LineKind.UNCLAIMED: "the part of what nobody claimed of {}",
    LineKind.ABSENT: "the part of {} while its members were away",
    LineKind.REST: "the part of the rest",
    LineKind.EXCESS: "the part of what meters said beyond the bill",
    LineKind.FIXED: "the part of {}",
}
