"""The types of events: each has its data, and an event is made of nothing else."""

import ast
from pathlib import Path

import msgspec
import pytest

from casawatt.model import event_data
from casawatt.model.event_data import MeterSilent
from casawatt.model.event_types import EVENT_TYPES, event_of

SRC = Path(__file__).parents[2] / "src" / "casawatt"
READS_THEM_BACK = SRC / "store" / "logs.py"
MAKES_THEM = SRC / "model" / "event_types.py"


def test_an_event_is_known_again_by_its_subject_its_type_and_what_happened() -> None:
    made = event_of(MeterSilent(5_000, "gone"), 6_000, "fridge", 5_000)
    assert made.event_id == "fridge/casawatt.meter.silent/5000"
    assert (made.type, made.time_ms, made.subject) == ("casawatt.meter.silent", 6_000, "fridge")
    assert made.data == {"heard_ms": 5_000, "cause": "gone"}
    assert event_of(MeterSilent(5_000), 7_000, "fridge", 5_000).event_id == made.event_id


def test_data_that_is_not_what_its_class_says_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="heard_ms"):
        event_of(MeterSilent("five"), 6_000, "fridge", 5_000)  # type: ignore[arg-type] # which is what is tested
    with pytest.raises(msgspec.ValidationError, match="cause"):
        event_of(MeterSilent(5, "bored"), 6_000, "fridge", 5)  # type: ignore[arg-type] # which is what is tested


def test_every_type_has_data_of_its_own_and_says_which_it_is() -> None:
    assert len(set(EVENT_TYPES.values())) == len(EVENT_TYPES)
    for name, data in EVENT_TYPES.items():
        assert data.__module__ == event_data.__name__
        assert (data.__doc__ or "").startswith(f"`{name}`: ")


def test_events_are_made_of_typed_data_everywhere() -> None:
    untyped = [
        f"{path.name}:{node.lineno}"
        for path in {*SRC.rglob("*.py")} - {READS_THEM_BACK, MAKES_THEM}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event"
    ]
    assert untyped == []
