"""What is usual for each kind, as the docs say it, and what is learned."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casawatt.engine import runs_sketch
from casawatt.engine.runs_settings import GENERIC, PRESETS, SAME, Overrides, preset_of, settings_of
from casawatt.model.meter import Calibration
from casawatt.model.run import Finished
from tests.engine.appliances import Part, outputs_of, readings, settings

PAGE = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()


def table(first: str) -> list[dict[str, str]]:
    """Return the rows of the page's table whose first column is called `first`, by the names of their columns."""
    lines = PAGE.split(f"| {first} |", 1)[1].splitlines()
    names = [first, *(name.strip() for name in lines[0].strip("| ").split("|"))]
    rows: list[dict[str, str]] = []
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(names, (cell.strip() for cell in line.strip("| ").split("|")), strict=True)))
    return rows


def test_the_table_of_kinds_in_the_docs_is_what_the_code_has() -> None:
    rows = table("kind")
    named: set[str] = set()
    for row in rows:
        kinds = re.findall(r"`(\w+)`", row.pop("kind")) or [""]
        named |= set(kinds)
        for kind in kinds:
            preset = preset_of(kind or None)
            assert {name: float(said) for name, said in row.items()} == {name: getattr(preset, name) for name in row}
    assert named == {*PRESETS, *SAME, ""} - {"mains"}


def test_the_example_in_the_docs_comes_out_as_it_says() -> None:
    block = PAGE.split("## An example", 1)[1].split("```")[1]
    parts: list[Part] = [(int(seconds), float(watts)) for seconds, watts in re.findall(r"(\d+) s at (\d+) W", block)]
    (finished,) = [
        each for each in outputs_of(readings(parts), settings("dishwasher"), idle_s=1) if isinstance(each, Finished)
    ]
    run, said = finished.run, {row["what"]: row["is"] for row in table("what")}
    assert run.end_ms is not None
    assert said == {
        "start_s": str(run.start_ms // 1000),
        "active_end_s": str(run.active_end_ms // 1000),
        "end_s": str(run.end_ms // 1000),
        "peak_w": str(run.peak_mw // 1000),
        "phases": ", ".join(phase.kind for phase in run.phases),
        "finished told after_s": str((finished.announced_ms - run.end_ms) // 1000),
    }


def test_what_the_owner_says_goes_before_the_preset() -> None:
    found = settings_of("kettle", Calibration(0), Overrides(on_w=50, end_after_s=90, quiet_limit_s=7))
    assert (found.on_mw, found.end_after_ms, found.pause_limit_ms, found.quiet_limit_ms) == (
        50_000,
        90_000,
        90_000,
        7000,
    )
    assert found.start_after_ms == 5000


@pytest.mark.parametrize("name", [field.name for field in msgspec.structs.fields(Overrides)])
def test_a_negative_option_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must not be negative: -1"):
        settings_of(None, Calibration(0), Overrides(**{name: -1}))


def test_a_lower_threshold_of_the_owner_finds_weaker_runs() -> None:
    weak: list[Part] = [(3600, 0), (1800, 9), (3600, 0)]
    assert outputs_of(readings(weak), settings("washing_machine")) == []
    assert len(outputs_of(readings(weak), settings("washing_machine", on_w=4, work_w=6))) == 2


def test_a_kind_that_is_not_known_has_the_generic_preset() -> None:
    assert preset_of("abacus") == preset_of(None) == GENERIC


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 60_000)), min_size=1, max_size=30))
def test_a_quantile_is_right_to_the_width_of_a_bin(spent: list[tuple[int, int]]) -> None:
    sketch = runs_sketch.EMPTY
    for power_mw, length_ms in spent:
        sketch = runs_sketch.added(sketch, power_mw, length_ms)
    assert sum(sketch) == sum(length_ms for _, length_ms in spent)
    for percent in (5, 50, 90):
        passed, exact_mw = 0, 0
        for power_mw, length_ms in sorted(spent):
            passed += length_ms
            exact_mw = power_mw
            if passed * 100 >= percent * sum(sketch):
                break
        found_mw = runs_sketch.quantile_mw(sketch, percent)
        assert found_mw is not None
        assert abs(found_mw - exact_mw) <= max(250, exact_mw // 4) or exact_mw >= 1_800_000


def test_nothing_is_known_of_a_meter_without_time() -> None:
    assert runs_sketch.quantile_mw(runs_sketch.EMPTY, 50) is None
    assert runs_sketch.lowest_mw(runs_sketch.EMPTY, 1) is None


def test_what_is_long_past_counts_less() -> None:
    sketch = runs_sketch.added(runs_sketch.EMPTY, 9000, runs_sketch.FADE_MS - 1)
    sketch = runs_sketch.added(sketch, 1000, 1)
    assert sum(sketch) < runs_sketch.FADE_MS
