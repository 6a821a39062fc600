"""Claims and closed splits are kept as they were said."""

from datetime import date
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from casawatt.engine.split import split
from casawatt.model.errors import LedgerError, RegistryError, UnknownDecisionError
from casawatt.model.member import Assignment, Member, Rest, SplitRules
from casawatt.model.split import Adjustment, Amount, ClaimedRun, Excess, Split, Statement, Used
from casawatt.store.store import Store

ROME = ZoneInfo("Europe/Rome")


def a_split(day: date) -> Split:
    thirds = [Amount(Fraction(1, 3), 7)]
    run = ClaimedRun("washer", "anna", 5, 0, "at noon", Amount(Fraction(1, 7), 3))
    used = Used(
        [day], "Mains", {"washer": thirds}, [run], thirds, Excess(thirds), {"Fixed": [Fraction(2)]}, Fraction(22, 7)
    )
    members = Member("anna", "Anna", joined=day, room_m2=Fraction("14.5")), Member("bruno", "Brùno")
    assignment = Assignment("washer", "Washer", claimed=True)
    return split(used, SplitRules(Rest.ROOM, members, (assignment,)), "EUR", 2)


def test_what_is_closed_is_read_back_equal_in_everything(tmp_path: Path) -> None:
    first, second = a_split(date(2026, 3, 1)), a_split(date(2026, 3, 2))
    adjustment = Adjustment(first.start, first.end, "anna", "Anna", -3, "For March: so.")
    statements = [Statement(first, closed_ms=8), Statement(second, (adjustment,), (first,), closed_ms=9)]
    store = Store.open(tmp_path, zone=ROME)
    assert (store.book.ledger.list(), store.book.ledger.last_end()) == ([], None)
    for each in statements:
        store.book.ledger.close(each)
    with pytest.raises(LedgerError, match="the period that begins on 2026-03-01 is closed already"):
        store.book.ledger.close(statements[0])
    store.close()
    store = Store.open(tmp_path, zone=ROME)
    assert store.book.ledger.list() == statements
    assert store.book.ledger.last_end() == date(2026, 3, 3)
    store.close()


def test_claims_stand_until_they_are_taken_back(tmp_path: Path) -> None:
    store = Store.open(tmp_path, zone=ROME)
    meter = store.registry.add_meter("washer", "Washer")
    claims = store.book.claims
    first = claims.add(meter.meter_id, 1000, 2000, "anna", made_ms=5)
    second = claims.add(meter.meter_id, 3000, 4000, "bruno", made_ms=6)
    assert claims.list(0, 5000) == claims.list(1999, 3001, meter.meter_id) == [first, second]
    assert claims.list(2000, 3000) == claims.list(0, 5000, 99) == []
    assert claims.retract(first.claim_id, 7) == first
    assert claims.list(0, 5000) == [second]
    for number in (first.claim_id, 99):
        with pytest.raises(UnknownDecisionError, match=f"there is no claim {number} that stands"):
            claims.retract(number, 8)
    with pytest.raises(RegistryError, match="there is no meter with number 99"):
        claims.add(99, 1000, 2000, "anna", made_ms=5)
    store.close()
