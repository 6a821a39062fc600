from casawatt.recordings.printer import PRINT_END_S, PRINT_START_S, synthetic_printer
from casawatt.recordings.shipped import ATTRIBUTION, DATA, appliances, mains
from casawatt.recordings.trace import DAY_S, make_trace

SIZE_MAX_BYTES = 400_000


def test_the_whole_set_is_small_and_carries_its_attribution() -> None:
    assert sum(path.stat().st_size for path in DATA.glob("*.csv.gz")) < SIZE_MAX_BYTES
    notice = " ".join((DATA / "ATTRIBUTION.md").read_text().split())
    assert ATTRIBUTION in notice
    for path in DATA.glob("*.csv.gz"):
        assert f"`{path.name}`" in notice


def test_only_the_printer_is_synthetic_and_its_name_says_so() -> None:
    assert [trace.label for trace in appliances().values() if trace.synthetic] == ["3D printer (synthetic)"]


def test_the_mains_is_the_sum_of_the_appliances_at_every_second() -> None:
    for second in range(0, DAY_S, 7):
        assert mains().power_at(second) == sum(trace.power_at(second) for trace in appliances().values())
    total_ws = sum(trace.energy_before_ws(DAY_S) for trace in appliances().values())
    assert mains().energy_before_ws(DAY_S) == total_ws


def test_a_day_of_each_appliance_uses_what_it_did_in_darmstadt() -> None:
    energy_wh = {name: round(trace.energy_before_ws(DAY_S) / 3600) for name, trace in appliances().items()}
    assert energy_wh == {
        "fridge": 852,
        "washing-machine": 496,
        "dishwasher": 1911,
        "kettle": 85,
        "computer": 660,
        "tv": 492,
        "router": 225,
        "3d-printer": 544,
    }


def test_power_holds_from_a_row_to_the_next_and_of_one_second_the_later_row_counts() -> None:
    trace = make_trace("x", "X", [(10, 5), (20, 1), (20, 7)])
    assert [trace.power_at(second) for second in (0, 9.9, 10, 19.9, 20, 86_399)] == [5, 5, 5, 5, 7, 7]
    assert trace.energy_before_ws(25) == 5 * 20 + 7 * 5


def test_the_printer_heats_up_then_switches_its_bed_on_and_off() -> None:
    printer = synthetic_printer()
    assert printer.power_at(PRINT_START_S - 1) == 6
    assert printer.power_at(PRINT_START_S + 60) == 160
    working = [printer.power_at(second) for second in range(PRINT_START_S + 1200, PRINT_END_S)]
    assert min(working) < 45
    assert max(working) > 145
    assert printer.power_at(PRINT_END_S + 60) == 14
