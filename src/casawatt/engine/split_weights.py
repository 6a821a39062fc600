"""Who takes part in what on which day, and with what weight."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import TypeAlias

from casawatt.model.member import Assignment, Member, Rest, SplitRules

Weights: TypeAlias = tuple[tuple[str, Fraction], ...]
"""Members (slugs, ascending) and what each counts for; all above zero."""

UNITS = {Rest.PERSON: "persons", Rest.DAYS: "days present", Rest.ROOM: "m2", Rest.SHARES: "shares"}
"""What the weights of each rule count."""

ONE = Fraction(1)


def rest_weights(rules: SplitRules, days: Sequence[date]) -> list[Weights]:
    """Return for each day who shares in what belongs to nobody.

    A day on which nobody is present who counts for anything is shared among all who are present on some day of the
    period, and where there are none, among all members.
    """
    if rules.rest is Rest.DAYS:
        counted = _kept((each.slug, Fraction(days_present(each, days))) for each in rules.members)
        return [counted or tuple((each.slug, ONE) for each in rules.members)] * len(days)
    of_period = _weights(rules, [each for each in rules.members if days_present(each, days)])
    else_ = of_period or _weights(rules, rules.members) or tuple((each.slug, ONE) for each in rules.members)
    return [_weights(rules, [each for each in rules.members if each.is_present(day)]) or else_ for day in days]


def own_weights(rules: SplitRules, assignment: Assignment, days: Sequence[date]) -> list[Weights]:
    """Return for each day whose a meter's energy is: of those who have a share in it, the ones who are present."""
    members = {each.slug: each for each in rules.members}
    having = [(members[slug], share) for slug, share in assignment.shares if slug in members]
    return [_kept((each.slug, share) for each, share in having if each.is_present(day)) for day in days]


def days_present(member: Member, days: Sequence[date]) -> int:
    """Return on how many of the days a member is present."""
    return sum(member.is_present(day) for day in days)


def _weights(rules: SplitRules, members: Sequence[Member]) -> Weights:
    match rules.rest:
        case Rest.ROOM:
            return _kept((each.slug, each.room_m2 or Fraction(0)) for each in members)
        case Rest.SHARES:
            return _kept((each.slug, each.share) for each in members)
        case _:
            return tuple((each.slug, ONE) for each in members)


def _kept(weights: Iterable[tuple[str, Fraction]]) -> Weights:
    return tuple((slug, weight) for slug, weight in weights if weight > 0)
