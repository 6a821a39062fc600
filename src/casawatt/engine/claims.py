"""Which run a claim is of, also when late readings have given the run another start since."""

from collections.abc import Sequence

from casawatt.model.split import Claim

Span = tuple[int, int]
"""Start and end of a run, UTC ms."""


def claimant(span: Span, claims: Sequence[Claim]) -> Claim | None:
    """Return the claim that holds for a run, None when nobody claimed it.

    A claim is of a run when at least half of the shorter one of the two spans lies in the other. Of several the one
    that has most of the run holds, and of several that have the same the one that was made last.
    """
    found = [(overlap, each) for each in claims if (overlap := _overlap_ms(span, each))]
    if not found:
        return None
    return max(found, key=lambda each: (each[0], each[1].made_ms, each[1].claim_id))[1]


def _overlap_ms(span: Span, claim: Claim) -> int:
    overlap_ms = min(span[1], claim.end_ms) - max(span[0], claim.start_ms)
    shorter_ms = min(span[1] - span[0], claim.end_ms - claim.start_ms)
    return overlap_ms if 0 < shorter_ms <= 2 * overlap_ms else 0
