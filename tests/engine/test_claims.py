"""Which run a claim is of."""

from casawatt.engine.claims import claimant
from casawatt.model.split import Claim

MINUTE_MS = 60_000


def claim(number: int, start: int, end: int, member: str = "anna") -> Claim:
    return Claim(number, 1, start * MINUTE_MS, end * MINUTE_MS, member, number)


def of(start: int, end: int, *claims: Claim) -> int | None:
    found = claimant((start * MINUTE_MS, end * MINUTE_MS), claims)
    return found.claim_id if found else None


def test_a_claim_stays_with_its_run_when_the_start_moves() -> None:
    assert of(60, 120, claim(1, 60, 120)) == 1
    assert of(63, 120, claim(1, 60, 120)) == 1
    assert of(50, 125, claim(1, 60, 120)) == 1


def test_a_claim_of_a_run_that_had_just_begun_is_of_the_whole_run() -> None:
    assert of(60, 180, claim(1, 60, 65)) == 1


def test_a_claim_is_not_of_the_run_before_or_after() -> None:
    assert of(121, 180, claim(1, 60, 120)) is None
    assert of(118, 180, claim(1, 60, 120)) is None
    assert of(91, 180, claim(1, 60, 120)) is None
    assert of(90, 180, claim(1, 60, 120)) == 1
    assert of(0, 60, claim(1, 60, 120)) is None


def test_a_run_that_turns_out_to_be_two_is_claimed_twice() -> None:
    assert of(60, 90, claim(1, 60, 120)) == 1
    assert of(92, 120, claim(1, 60, 120)) == 1


def test_two_runs_that_turn_out_to_be_one_belong_to_whoever_has_most_of_it() -> None:
    claims = claim(1, 60, 120), claim(2, 121, 150, "bruno")
    assert of(60, 150, *claims) == 1
    assert of(60, 150, *reversed(claims)) == 1


def test_the_last_word_on_the_same_run_holds() -> None:
    claims = claim(1, 60, 120), claim(2, 60, 120, "bruno")
    assert of(60, 120, *claims) == 2
    assert of(60, 120, *reversed(claims)) == 2
    moved = claim(1, 60, 120), claim(2, 62, 120, "bruno")
    assert of(62, 120, *moved) == 2
