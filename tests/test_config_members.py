"""Members and whose each meter is: checked, and each error names its line and option."""

from datetime import date

import pytest

from casawatt.config import parse
from casawatt.model.errors import ConfigError
from casawatt.model.member import Rest

FLAT = """\
[split]
rest = "room"

[member.anna]
name = "Anna"
joined = 2025-09-01
room_m2 = 14

[member.bruno]
joined = 2025-09-01
left = 2026-03-12
room_m2 = 10.5
share = 2

[meter.heater]
source = "kasa"
address = "a"
owner = "anna"

[meter.freezer]
source = "kasa"
address = "b"
shares = {anna = 1, bruno = 2.5}

[meter.washer]
source = "kasa"
address = "c"
claimed = true
"""


def test_members_and_whose_each_meter_is_are_read() -> None:
    config = parse(FLAT, "home.toml")
    assert config.split.rest is Rest.ROOM
    assert config.members["anna"].joined == date(2025, 9, 1)
    assert config.members["anna"].left is None
    assert (config.members["bruno"].left, config.members["bruno"].share) == (date(2026, 3, 12), 2)
    assert config.meters["heater"].owner == "anna"
    assert config.meters["freezer"].shares == {"anna": 1, "bruno": 2.5}
    assert config.meters["washer"].claimed


def test_a_home_without_members_is_whole() -> None:
    config = parse("", "home.toml")
    assert (config.members, config.split.rest) == ({}, Rest.PERSON)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (
            'owner = "anna"',
            'owner = "carla"',
            "home.toml:18: meter.heater.owner: there is no [member.carla]; there are: anna, bruno",
        ),
        (
            "bruno = 2.5",
            "dora = 1",
            "home.toml:23: meter.freezer.shares.dora: there is no [member.dora]; there are: anna, bruno",
        ),
        ("bruno = 2.5", "bruno = 0", "home.toml:23: meter.freezer.shares"),
        ("{anna = 1, bruno = 2.5}", "{}", "home.toml:23: meter.freezer.shares: are nobody's"),
        (
            "claimed = true",
            'claimed = true\nowner = "anna"',
            "home.toml:28: meter.washer.claimed: its energy cannot be divided by owner and claimed at once",
        ),
        (
            "left = 2026-03-12",
            "left = 2025-08-31",
            "home.toml:11: member.bruno.left: 2025-08-31 is before 2025-09-01, the day on which they joined",
        ),
        ("left = 2026-03-12", 'left = "soon"', "home.toml:11: member.bruno.left: invalid RFC3339 encoded date"),
        ("room_m2 = 10.5\n", "", "home.toml:9: member.bruno: needs room_m2, as [split] rest is by room"),
        ("room_m2 = 10.5", "room_m2 = 0", "home.toml:12: member.bruno.room_m2"),
        ("share = 2", "share = -1", "home.toml:13: member.bruno.share"),
        ("share = 2", "shares = 2", "home.toml:13: member.bruno.shares: no such option; there are: name, joined"),
        ('rest = "room"', 'rest = "luck"', "home.toml:2: split.rest: invalid enum value 'luck'"),
        ('rest = "room"', 'rule = "room"', "home.toml:2: split.rule: no such option; there are: rest"),
        ("[member.anna]", '[member."Anna B"]', "home.toml:4: member.Anna B: 'Anna B' cannot name a member"),
    ],
)
def test_what_cannot_be_split_names_the_line_and_the_option(old: str, new: str, error: str) -> None:
    assert old in FLAT
    with pytest.raises(ConfigError) as raised:
        parse(FLAT.replace(old, new), "home.toml")
    assert str(raised.value).startswith(error)


def test_an_owner_without_any_members_and_shares_of_nobody_are_refused() -> None:
    meter = '[meter.washer]\nsource = "kasa"\naddress = "c"\nclaimed = true\n'
    with pytest.raises(ConfigError, match=r"home.toml:4: meter.washer.claimed: there are no members; write a section"):
        parse(meter, "home.toml")
    nobody = '[split]\nrest = "shares"\n[member.anna]\nshare = 0\n'
    with pytest.raises(ConfigError, match=r"home.toml:2: split.rest: by shares, and no member has any"):
        parse(nobody, "home.toml")
