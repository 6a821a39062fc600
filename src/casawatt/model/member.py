"""Who lives in the home, and how what it uses is divided among them."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from fractions import Fraction

import msgspec


class Rest(StrEnum):
    """How the energy and the charges that belong to nobody in particular are divided."""

    PERSON = "person"
    """Each day in equal parts among those who are present that day."""
    DAYS = "days"
    """All of the period together, by the number of days that each was present."""
    ROOM = "room"
    """Each day by the size of the rooms of those who are present that day."""
    SHARES = "shares"
    """Each day by the fixed shares of those who are present that day."""


class Member(msgspec.Struct, frozen=True):
    """Somebody who lives in the home.

    `joined` is the first day and `left` the last day that they are present, None where it has no beginning or no end.
    `room_m2` is the size of their room, `share` what they count for where fixed shares decide.
    """

    slug: str
    name: str
    joined: date | None = None
    left: date | None = None
    room_m2: Fraction | None = None
    share: Fraction = Fraction(1)

    def is_present(self, day: date) -> bool:
        """Return whether the member lives in the home on a day."""
        return (self.joined is None or self.joined <= day) and (self.left is None or day <= self.left)


class Assignment(msgspec.Struct, frozen=True):
    """Whose the energy of a meter is.

    `shares`: what each member (slug) has of it, ascending by slug; a single one is its owner. `claimed`: each run is
    whoever's claims it, and `shares` is empty. `within`: the slug of the nearest meter above it that is somebody's as
    well, whose energy this one's is no part of then.
    """

    meter: str
    name: str
    shares: tuple[tuple[str, Fraction], ...] = ()
    claimed: bool = False
    within: str | None = None


class SplitRules(msgspec.Struct, frozen=True):
    """All that decides who owes what of a bill. `members` and `assignments` ascend by their slugs."""

    rest: Rest
    members: tuple[Member, ...]
    assignments: tuple[Assignment, ...] = ()

    def sorted(self) -> "SplitRules":
        """Return the same rules in the one order that nothing can change."""
        assignments = (
            msgspec.structs.replace(each, shares=tuple(sorted(each.shares)))
            for each in sorted(self.assignments, key=lambda each: each.meter)
        )
        members = sorted(self.members, key=lambda each: each.slug)
        return SplitRules(self.rest, tuple(members), tuple(assignments))

    def name_of(self, slug: str) -> str:
        """Return what a member is called; the slug of one who is no member."""
        return next((each.name for each in self.members if each.slug == slug), slug)


def named(names: Iterable[str]) -> str:
    """Return names as they stand in a sentence: `Anna, Bruno and Carla`."""
    several = list(names)
    return " and ".join([", ".join(several[:-1]), several[-1]] if len(several) > 1 else several)
