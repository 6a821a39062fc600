"""What a bill is made of, each part with an amount for each day and the members who share it that day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from casawatt.engine.split_weights import UNITS, Weights, own_weights, rest_weights
from casawatt.engine.split_words import count
from casawatt.model.member import Assignment, SplitRules, named
from casawatt.model.money import plain
from casawatt.model.split import Amount, ClaimedRun, LineKind, Used

ZERO = Fraction(0)
NOTHING = Amount(ZERO)
ONE = Fraction(1)


@dataclass(frozen=True, slots=True)
class Pot:
    """Something to pay. `head` and `tail`: what its lines begin and end with; `unit`: what its weights count."""

    kind: LineKind
    subject: str | None
    amounts: Sequence[Amount]
    weights: Sequence[Weights]
    head: str
    unit: str = "shares"
    tail: str = ""
    run_ms: int | None = None

    @property
    def cost(self) -> Fraction:
        """All of it."""
        return sum((each.cost for each in self.amounts), ZERO)

    @property
    def energy_mwh(self) -> int:
        """All energy in it."""
        return sum(each.energy_mwh for each in self.amounts)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not any(each.cost or each.energy_mwh for each in self.amounts)


def pots_of(used: Used, rules: SplitRules) -> list[Pot]:
    """Return everything that there is to pay, in the order in which it is told: what is somebody's, then the rest."""
    rest = rest_weights(rules, used.days)
    unit = UNITS[rules.rest]
    pots = [pot for each in rules.assignments for pot in _meter_pots(used, rules, each, rest)]
    pots.sort(key=lambda pot: pot.kind in (LineKind.UNCLAIMED, LineKind.ABSENT))  # stable: meters stay in order
    what = "What no member's meter measured" if rules.assignments else "All that was used"
    pots.append(Pot(LineKind.REST, None, used.unmetered, rest, what, unit))
    pots.append(Pot(LineKind.EXCESS, None, used.excess.by_day, rest, _excess_head(used), unit))
    for name, by_day in sorted(used.charges.items()):
        pots.append(Pot(LineKind.FIXED, name, [Amount(cost) for cost in by_day], rest, name, unit))
    return [pot for pot in pots if not pot.is_empty]


def strays(used: Used, rules: SplitRules) -> list[ClaimedRun]:
    """Return the claimed runs that go with the rest: whoever claimed them was not present on the day."""
    members = {each.slug: each for each in rules.members}
    return [
        run for run in used.runs if run.member not in members or not members[run.member].is_present(used.days[run.day])
    ]


def _meter_pots(used: Used, rules: SplitRules, assignment: Assignment, rest: Sequence[Weights]) -> Iterator[Pot]:
    if assignment.meter not in used.meters:
        return
    amounts = used.meters[assignment.meter]
    if assignment.claimed:
        yield from _claimed_pots(used, rules, assignment, rest)
        return
    weights = own_weights(rules, assignment, used.days)
    names = [rules.name_of(slug) for slug, _ in assignment.shares]
    is_owned = len(names) == 1
    here = [amount if weight else NOTHING for amount, weight in zip(amounts, weights, strict=True)]
    away = [NOTHING if weight else amount for amount, weight in zip(amounts, weights, strict=True)]
    gone = sum(not weight for weight in weights)
    absent = f"{assignment.name}, on {count(gone, 'day')} without {named(names)}"
    if is_owned:
        head = f"{assignment.name}, which is {names[0]}'s"
    else:
        shares = (f"{rules.name_of(slug)} {plain(share)}" for slug, share in assignment.shares)
        head = f"{assignment.name}, shared as {', '.join(shares)}"
    tail = f"What it used on {count(gone, 'day')} without {named(names)} is part of the rest." if gone else ""
    kind = LineKind.OWNED if is_owned else LineKind.SHARED
    yield Pot(kind, assignment.meter, here, weights, head, tail=tail)
    yield Pot(LineKind.ABSENT, assignment.meter, away, rest, absent, UNITS[rules.rest])


def _claimed_pots(used: Used, rules: SplitRules, assignment: Assignment, rest: Sequence[Weights]) -> Iterator[Pot]:
    stray = strays(used, rules)
    unclaimed = list(used.meters[assignment.meter])
    runs = sorted((each for each in used.runs if each.meter == assignment.meter), key=lambda each: each.start_ms)
    for run in runs:
        if run in stray:
            before = unclaimed[run.day]
            unclaimed[run.day] = Amount(before.cost + run.amount.cost, before.energy_mwh + run.amount.energy_mwh)
            continue
        amounts = [run.amount if day == run.day else NOTHING for day in range(len(used.days))]
        mine: list[Weights] = [((run.member, ONE),)] * len(used.days)
        head = f"{assignment.name} {run.when}, claimed by {rules.name_of(run.member)}"
        yield Pot(LineKind.CLAIMED, assignment.meter, amounts, mine, head, run_ms=run.start_ms)
    head = f"{assignment.name}, what nobody claimed"
    yield Pot(LineKind.UNCLAIMED, assignment.meter, unclaimed, rest, head, UNITS[rules.rest])


def _excess_head(used: Used) -> str:
    excess = used.excess
    head = (
        f"What members' meters said beyond {used.billed_name} in {count(excess.quarters, 'quarter-hour')}, "
        "charged there and given back here"
    )
    if not excess.gaps:
        return f"{head} (meters differ a little, or what they measured did not come through it)"
    some = "all" if excess.gaps == excess.quarters else str(excess.gaps)
    return f"{head} (in {some} of them {used.billed_name} was not measured throughout)"
