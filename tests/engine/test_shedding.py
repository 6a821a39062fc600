"""Which appliances to stop."""

import pytest

from casawatt.engine.shedding import what_to_stop
from casawatt.model.supply import Running

HOME = [
    Running("oven", "oven", 2_200_000),
    Running("dryer", "dryer", 1_800_000),
    Running("washer", "washing_machine", 900_000),
    Running("fridge", "fridge", 120_000),
    Running("router", "router", 9_000),
]


@pytest.mark.parametrize(
    ("need_w", "meters", "enough"),
    [
        (0, [], True),
        (-500, [], True),
        (100, ["washer"], True),
        (900, ["washer"], True),
        (901, ["dryer"], True),
        (2000, ["oven"], True),
        (2500, ["oven", "washer"], True),
        (3500, ["oven", "dryer"], True),
        (4900, ["oven", "dryer", "washer"], True),
        (4950, ["oven", "dryer", "washer", "fridge"], True),
        (6000, ["oven", "dryer", "washer", "fridge"], False),
    ],
)
def test_the_smallest_that_is_enough_is_stopped_or_else_the_fewest(
    need_w: int, meters: list[str], *, enough: bool
) -> None:
    stop = what_to_stop(HOME, need_w * 1000)
    assert ([each.meter for each in stop.meters], stop.enough) == (meters, enough)


def test_where_nothing_is_on_nothing_is_enough() -> None:
    assert what_to_stop([], 1) == what_to_stop([HOME[-1]], 1)
    assert not what_to_stop([], 1).enough
