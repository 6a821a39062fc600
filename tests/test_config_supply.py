"""The limiter and plain alarms: read, checked, and each error names its line and option."""

import pytest

from casawatt.config import parse
from casawatt.model.alarm import Alarm, Hours
from casawatt.model.errors import ConfigError
from casawatt.model.supply import Limiter, Tier

TIERS = """\
[supply]
contracted_w = 3000
warn_s = 300

[[supply.tier]]
up_to_ratio = 1.1

[[supply.tier]]
up_to_w = 4000
for_s = 600
averages_s = [60, 600]

[[supply.tier]]
for_s = 5
"""

ALARMS = """\
[alarm.oven-left-on]
meter = "oven"
above_w = 800
for_s = 5400

[alarm.freezer-dead]
meter = "freezer"
below_w = 5
for_s = 21600
clear_w = 30
clear_for_s = 0

[alarm.night]
meter = "mains"
above_w = 2500
from = "23:00"
to = "06:30"
weekdays = ["sun", "mon"]
"""


def test_tiers_are_read() -> None:
    tiers = Tier(3_300_000, 600_000, (60_000, 600_000)), Tier(4_000_000, 5000)
    assert parse(TIERS, "home.toml").limiter == Limiter(tiers, 300_000)


def test_a_limiter_is_taken_by_its_name_and_none_is_assumed() -> None:
    assert parse('[supply]\nlimiter = "mcee"', "home.toml").limiter == Limiter((Tier(4_199_000, 180_000),))
    italy = parse('[supply]\nlimiter = "italy"\ncontracted_w = 4500', "home.toml").limiter
    assert italy is not None
    assert [each.above_mw for each in italy.tiers] == [4_950_000, 5_985_000]
    assert parse("[supply]\ncontracted_w = 4500", "home.toml").limiter is None


def test_alarms_are_read_with_their_hysteresis_and_hours() -> None:
    assert parse(ALARMS, "home.toml").alarms == (
        Alarm("oven-left-on", "oven", 800_000, 5_400_000, 760_000, 60_000),
        Alarm("freezer-dead", "freezer", 5000, 21_600_000, 30_000, 0, below=True),
        Alarm("night", "mains", 2_500_000, 10_000, 2_375_000, 60_000, hours=Hours(1380, 390, (0, 6))),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[supply]\nlimiter = "italy"', "home.toml:2: supply.limiter: .*write contracted_w too"),
        ('[supply]\nlimiter = "france"', "home.toml:2: supply.limiter: "),
        (TIERS + 'limiter = "mcee"', "home.toml:15: supply.tier.2.limiter: no such option; there are: up_to_w"),
        ('[supply]\nlimiter = "mcee"\n[[supply.tier]]\nup_to_w = 9', "home.toml:2: supply.limiter: there are"),
        (TIERS.replace("for_s = 5\n", ""), "home.toml:13: supply.tier.2: needs for_s"),
        (TIERS.replace("4000", "3000"), "home.toml:8: supply.tier.1: is not above"),
        (TIERS.replace("contracted_w = 3000\n", ""), "home.toml:4: supply.tier.0: .*needs contracted_w"),
        ("[alarm.x]\nmeter = 'oven'", "home.toml:1: alarm.x: needs above_w or below_w"),
        ("[alarm.x]\nmeter = 'oven'\nabove_w = 9\nbelow_w = 3", "home.toml:1: alarm.x: needs above_w or below_w"),
        ("[alarm.x]\nmeter = 'oven'\nabove_w = 9\nclear_w = 10", "home.toml:4: alarm.x.clear_w: is above"),
        ("[alarm.x]\nmeter = 'oven'\nbelow_w = 9\nclear_w = 8", "home.toml:4: alarm.x.clear_w: is below"),
        ("[alarm.x]\nmeter = 'oven'\nabove_w = 9\nfrom = '7'", "home.toml:4: alarm.x.from: "),
        ("[alarm.x]\nmeter = 'oven'\nabove_w = 9\nweekdays = []", "home.toml:4: alarm.x.weekdays: is empty"),
        ("[alarm.Big]\nmeter = 'oven'\nabove_w = 9", "home.toml:1: alarm.Big: 'Big' cannot name an alarm"),
        (
            "[alarm.x]\nmeter = 'oven'\nabove_w = 9\n[meter.fridge]\nsource='kasa'\naddress='a'",
            r"home.toml:2: alarm.x.meter: there is no \[meter.oven\]",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        parse(text, "home.toml")
