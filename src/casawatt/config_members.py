"""The members of the home and whose each meter's energy is, as the config says it."""

from casawatt.config_document import Document
from casawatt.config_sections import MemberConfig, MeterConfig, SplitConfig
from casawatt.model.member import Rest
from casawatt.model.meter import SLUG


def check_members(
    document: Document, members: dict[str, MemberConfig], split: SplitConfig, meters: dict[str, MeterConfig]
) -> None:
    """Raise ConfigError for members and meters whose bill could not be split."""
    for slug, member in members.items():
        if len(slug) > 64 or not SLUG.fullmatch(slug):
            why = f"{slug!r} cannot name a member: use words of a-z and 0-9 joined by hyphens, as in [member.anna]"
            raise document.error(("member", slug), why)
        if member.joined is not None and member.left is not None and member.left < member.joined:
            why = f"{member.left} is before {member.joined}, the day on which they joined"
            raise document.error(("member", slug, "left"), why)
        if split.rest is Rest.ROOM and member.room_m2 is None:
            raise document.error(("member", slug), "needs room_m2, as [split] rest is by room")
    if members and split.rest is Rest.SHARES and not any(member.share for member in members.values()):
        raise document.error(
            ("split", "rest"), "by shares, and no member has any: a share of at least one must not be 0"
        )
    for slug, meter in meters.items():
        _check_meter(document, members, slug, meter)


def _check_meter(document: Document, members: dict[str, MemberConfig], slug: str, meter: MeterConfig) -> None:
    given = [name for name in ("owner", "shares", "claimed") if getattr(meter, name) not in (None, False)]
    if len(given) > 1:
        why = f"its energy cannot be divided by {' and '.join(given)} at once: leave all but one out"
        raise document.error(("meter", slug, given[-1]), why)
    if meter.shares is not None and not meter.shares:
        raise document.error(("meter", slug, "shares"), "are nobody's; write them like {anna = 1, bruno = 2}")
    if given and not members:
        raise document.error(
            ("meter", slug, given[0]), "there are no members; write a section [member.<name>] for each"
        )
    if meter.owner is not None and meter.owner not in members:
        raise document.error(("meter", slug, "owner"), _unknown(meter.owner, members))
    for name in meter.shares or ():
        if name not in members:
            raise document.error(("meter", slug, "shares", name), _unknown(name, members))


def _unknown(name: str, members: dict[str, MemberConfig]) -> str:
    return f"there is no [member.{name}]; there are: {', '.join(members)}"
