"""A numbered stream of readings of several meters, as hostile as real ones: late, repeated, in parts, with gaps.

The n-th reading follows from n alone. What a meter measured at a time never changes, so it does not matter how often a
part of the stream is sent: the store must hold what was sent of it, and nothing else.
"""

from casawatt.model.reading import CHANNELS, Reading, Record
from casawatt.registry import Adoption
from tests.recorder.homes import START_MS, TestHome

STEP_MS = 7_000
BURST = 700
GAP_MS = 3_600_000
RECEIVED_MS = START_MS + 3650 * 24 * 3_600_000
FAR_LATE = 97 * 15
LIVES = 3000
"""So many readings after which the node restarts, and its count of charge with it."""

SPIKE = 211
"""Each of so many items has a power that no home can have."""

METERS = (("mains", "change"), ("plug", "polled"), ("node", "polled"), ("lamp", "change"))
SHUFFLED = (0, 2, 1, 3, 7, 4, 5, 6)

SAID = (
    ("power_mw",),
    ("power_mw", "register_mwh", "voltage_mv"),
    ("current_ma", "charge_mas", "boot_id"),
    ("power_mw",),
)
"""The channels that each meter's readings carry when they are whole."""


def time_ms(item: int) -> int:
    """Return when the item of that number was measured."""
    return START_MS + item * STEP_MS + item // BURST * GAP_MS


def item_at(at_ms: int) -> int:
    """Return the item that was measured then."""
    burst, rest = divmod(at_ms - START_MS, BURST * STEP_MS + GAP_MS)
    return burst * BURST + rest // STEP_MS


def measured(meter: int, item: int) -> dict[str, int]:
    """Return everything that a meter measured at an item: the channels of the record."""
    power_w = (item * 7919 + meter * 31) % 2900 + (60_000 if item % SPIKE == 0 else 0)
    whole = {
        "power_mw": power_w * 1000,
        "register_mwh": item % 5000 * 2000,
        "voltage_mv": 225_000 + item % 10 * 1000,
        "current_ma": power_w * 4,
        "charge_mas": item % LIVES * 14_000,
        "boot_id": 1 + item // LIVES,
    }
    return {name: whole[name] for name in SAID[meter]}


def place(number: int) -> tuple[int, int, bool]:
    """Return the meter and the item of the n-th reading of the stream, and whether the whole of it is said."""
    slot, meter = divmod(number, len(METERS))
    if slot % 13 == 5:
        return meter, max(0, slot - 3), True
    if meter >= 2 and slot % 97 == 0 and slot >= FAR_LATE:
        return meter, slot - FAR_LATE, True
    item = slot // 8 * 8 + SHUFFLED[slot % 8] if meter in {1, 3} else slot
    return meter, item, item % 4 != 1


def reading(number: int) -> Reading:
    """Return the n-th reading of the stream."""
    meter, item, whole = place(number)
    said = measured(meter, item)
    if not whole:
        said = dict(list(said.items())[:1])
    slug, source = METERS[meter]
    return Reading(
        source=source,
        address=slug,
        received_ms=RECEIVED_MS,
        time_ms=time_ms(item),
        power_w=scaled(said, "power_mw"),
        register_wh=scaled(said, "register_mwh"),
        voltage_v=scaled(said, "voltage_mv"),
        current_a=scaled(said, "current_ma"),
        charge_as=scaled(said, "charge_mas"),
        boot_id=said.get("boot_id"),
    )


def scaled(said: dict[str, int], name: str) -> float | None:
    """Return a value in the unit of a reading."""
    return said[name] / 1000 if name in said else None


def adopt_all(home: TestHome) -> None:
    """Make the stream's meters, unless they are there."""
    known = {meter.slug for meter in home.registry.meters()}
    for slug, source in METERS:
        if slug not in known:
            home.registry.adopt(Adoption(slug, slug, source, slug), START_MS)


class Promised:
    """What was confirmed so far: for each meter and time the channels that must be there."""

    def __init__(self) -> None:
        self.count = 0
        self._said: list[dict[int, set[str]]] = [{} for _ in METERS]

    def confirm(self, count: int) -> None:
        """Note that the first `count` readings of the stream were confirmed."""
        for number in range(self.count, count):
            meter, item, whole = place(number)
            names = SAID[meter] if whole else SAID[meter][:1]
            self._said[meter].setdefault(time_ms(item), set()).update(names)
        self.count = max(self.count, count)

    def broken(self, meter: int, records: list[Record]) -> list[str]:
        """Return in words what of a meter is missing, or is not what it measured."""
        missing = dict(self._said[meter])
        found = []
        for record in records:
            wanted = missing.pop(record.time_ms, set())
            truth = measured(meter, item_at(record.time_ms))
            for name in CHANNELS:
                value = getattr(record, name)
                if (value is None and name in wanted) or (value is not None and value != truth.get(name)):
                    found.append(f"{METERS[meter][0]} at {record.time_ms}: {name} is {value}, not {truth.get(name)}")
        return found + [f"{METERS[meter][0]} at {at_ms}: confirmed, and not there" for at_ms in sorted(missing)]
