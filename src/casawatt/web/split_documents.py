"""What the API answers about members, what they owe, and which runs are theirs."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import Meta

from casawatt.answers.claims import Claimed
from casawatt.answers.splits import Splits
from casawatt.model.member import Member
from casawatt.model.money import as_money
from casawatt.model.split import Adjustment, Line, LineKind, Owed, Split, Statement
from casawatt.web.documents import Time
from casawatt.web.ports import Home
from casawatt.web.times import format_time

Day = Annotated[str, Meta(extra_json_schema={"format": "date"})]
Money = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="An amount in the document's currency")]


class MemberDocument(msgspec.Struct, frozen=True):
    """Somebody who lives in the home. `joined` and `left`: their first and last day, null where it is open."""

    slug: str
    name: str
    joined: Day | None
    left: Day | None
    room_m2: float | None
    share: float


class MembersDocument(msgspec.Struct, frozen=True):
    """All members, also those who have left, by their slugs."""

    members: list[MemberDocument]


class LineDocument(msgspec.Struct, frozen=True):
    """Something that a member pays, and why.

    `subject`: the slug of the meter or the name of the charge, null for the rest. `exact`: the amount before it was
    rounded, as a fraction. `energy_wh` is null for what is no energy; `run`: when the claimed run began.
    """

    kind: LineKind
    subject: str | None
    amount: Money
    exact: str
    energy_wh: float | None
    run: Time | None
    why: str


class AdjustmentDocument(msgspec.Struct, frozen=True):
    """What is made good of a closed period, `start` until before `end`, whose figures are different since."""

    start: Day
    end: Day
    amount: Money
    why: str


class OwedDocument(msgspec.Struct, frozen=True):
    """What a member owes: `amount` is their lines together, `total` that and their adjustments.

    `days`: on so many days of the period they were present.
    """

    member: str
    name: str
    days: int
    amount: Money
    total: Money
    lines: list[LineDocument]
    adjustments: list[AdjustmentDocument]


class SplitDocument(msgspec.Struct, frozen=True):
    """Who owes what for the days from `start` until before `end`.

    The members' amounts add up to `bill`, all their adjustments to `adjusted`, their totals to `total`. `closed`: when
    it was closed, null while it is open.
    """

    start: Day
    end: Day
    currency: str
    closed: Time | None
    bill: Money
    adjusted: Money
    total: Money
    members: list[OwedDocument]
    notes: list[str]


class ClosedDocument(msgspec.Struct, frozen=True):
    """A closed period."""

    start: Day
    end: Day
    closed: Time
    total: Money


class NextDocument(msgspec.Struct, frozen=True):
    """The period to be closed next: where it begins, and before which day it ends if it is a billing month."""

    start: Day
    end: Day


class LedgerDocument(msgspec.Struct, frozen=True):
    """All closed periods, oldest first. `following` is to be closed next."""

    currency: str
    closed: list[ClosedDocument]
    following: NextDocument


class ClaimDocument(msgspec.Struct, frozen=True):
    """A member's word that a run was theirs.

    `start` and `end`: the run that it holds for now, `end` null while it goes on; both null when it holds for none.
    """

    id: int
    meter: str
    member: str
    start: Time | None
    end: Time | None
    made: Time


class ClaimsDocument(msgspec.Struct, frozen=True):
    """The claims that stand, in the order they were made."""

    claims: list[ClaimDocument]


def members_document(members: Sequence[Member]) -> MembersDocument:
    """Return all members."""
    return MembersDocument([_member_document(each) for each in members])


def _member_document(member: Member) -> MemberDocument:
    joined, left = (None if each is None else each.isoformat() for each in (member.joined, member.left))
    room_m2 = None if member.room_m2 is None else float(member.room_m2)
    return MemberDocument(member.slug, member.name, joined, left, room_m2, float(member.share))


def split_document(statement: Statement, home: Home) -> SplitDocument:
    """Return what each member owes, with amounts as they are written."""
    split = statement.split
    amounts = [split.units, statement.adjustment_units, statement.total_units]
    bill, adjusted, total = (money(each, split) for each in amounts)
    closed = None if statement.closed_ms is None else format_time(statement.closed_ms, home.zone)
    others = sorted({each.member for each in statement.adjustments} - {each.member for each in split.members})
    names = {each.member: each.name for each in statement.adjustments}
    owed = [*split.members, *(Owed(slug, names[slug], 0, Fraction(0), 0, ()) for slug in others)]
    members = [_owed_document(each, statement, home) for each in sorted(owed, key=lambda each: each.member)]
    start, end = split.start.isoformat(), split.end.isoformat()
    return SplitDocument(start, end, split.currency, closed, bill, adjusted, total, members, list(split.notes))


def _owed_document(owed: Owed, statement: Statement, home: Home) -> OwedDocument:
    split = statement.split
    lines = [_line_document(each, split, home) for each in owed.lines]
    adjustments = [_adjustment_document(each, split) for each in statement.adjustments if each.member == owed.member]
    amount, total = money(owed.units, split), money(statement.units_of(owed.member), split)
    return OwedDocument(owed.member, owed.name, owed.days, amount, total, lines, adjustments)


def _line_document(line: Line, split: Split, home: Home) -> LineDocument:
    energy_wh = None if line.energy_mwh is None else float(line.energy_mwh / 1000)
    run = None if line.run_ms is None else format_time(line.run_ms, home.zone)
    amount, exact = money(line.units, split), str(line.amount)
    return LineDocument(line.kind, line.subject, amount, exact, energy_wh, run, line.why)


def _adjustment_document(adjustment: Adjustment, split: Split) -> AdjustmentDocument:
    start, end = adjustment.start.isoformat(), adjustment.end.isoformat()
    return AdjustmentDocument(start, end, money(adjustment.units, split), adjustment.why)


def ledger_document(splits: Splits, home: Home) -> LedgerDocument:
    """Return all closed periods, and the next one to be closed."""
    documents = [
        ClosedDocument(
            each.split.start.isoformat(),
            each.split.end.isoformat(),
            format_time(each.closed_ms or 0, home.zone),
            money(each.total_units, each.split),
        )
        for each in splits.closed()
    ]
    following = splits.next_period()
    return LedgerDocument(home.currency, documents, NextDocument(*(day.isoformat() for day in following)))


def claim_document(claimed: Claimed, home: Home) -> ClaimDocument:
    """Return a claim with its times as they are written."""
    claim = claimed.claim
    start_ms, end_ms = claimed.run or (None, None)
    start, end = (None if each is None else format_time(each, home.zone) for each in (start_ms, end_ms))
    made = format_time(claim.made_ms, home.zone)
    return ClaimDocument(claim.claim_id, claimed.meter, claim.member, start, end, made)


def claims_document(claims: Sequence[Claimed], home: Home) -> ClaimsDocument:
    """Return the claims that stand."""
    return ClaimsDocument([claim_document(each, home) for each in claims])


def money(units: int, split: Split) -> str:
    """Return an amount of the smallest units of the split's currency as a decimal number."""
    return str(as_money(units, split.digits))
