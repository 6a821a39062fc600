"""The rules of the split, as the config says them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from casawatt.config import Config
from casawatt.config_sections import MemberConfig, MeterConfig
from casawatt.model.member import Assignment, Member, SplitRules
from casawatt.model.meter import Meter


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives in the home and whose its meters are, as the config says it."""

    config: Config

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, ascending by slug."""
        return tuple(_member(slug, each) for slug, each in sorted(self.config.members.items()))

    def is_claimed(self, meter: str) -> bool:
        """Return whether the runs of a meter are for members to claim."""
        return meter in self.config.meters and self.config.meters[meter].claimed

    def rules(self, meters: Sequence[Meter], billed: str | None) -> SplitRules:
        """Return the rules of today. `billed`: the meter whose energy the bill is of, None when it is not a single one.

        Where that meter is somebody's, all others are behind it.
        """
        configured = self.config.meters
        parents = {each.slug: each.parent for each in meters}
        assigned = {slug for slug in parents if slug in configured and _is_assigned(configured[slug])}
        assignments = []
        for meter in meters:
            if meter.slug in assigned:
                within = _nearest(meter.slug, parents, assigned, billed)
                options = configured[meter.slug]
                assignments.append(Assignment(meter.slug, meter.name, _shares(options), options.claimed, within))
        return SplitRules(self.config.split.rest, self.members, tuple(assignments)).sorted()


def exact(number: float) -> Fraction:
    """Return a number of the config just as it was written there: 0.1 is a tenth."""
    return Fraction(str(number))


def _member(slug: str, options: MemberConfig) -> Member:
    room_m2 = None if options.room_m2 is None else exact(options.room_m2)
    return Member(slug, options.name or slug, options.joined, options.left, room_m2, exact(options.share))


def _is_assigned(options: MeterConfig) -> bool:
    return options.claimed or options.owner is not None or options.shares is not None


def _shares(options: MeterConfig) -> tuple[tuple[str, Fraction], ...]:
    if options.owner is not None:
        return ((options.owner, Fraction(1)),)
    return tuple(sorted((slug, exact(share)) for slug, share in (options.shares or {}).items()))


def _nearest(slug: str, parents: dict[str, str | None], assigned: set[str], billed: str | None) -> str | None:
    """Return the nearest meter above that is somebody's."""
    seen, above = {slug}, parents[slug]
    while above is not None and above not in seen:
        if above in assigned:
            return above
        seen.add(above)
        above = parents.get(above)
    return billed if billed in assigned and billed != slug else None
