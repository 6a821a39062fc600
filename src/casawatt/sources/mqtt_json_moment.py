"""Values that belong together but come in messages of their own, made one reading.

ESPHome says each quantity under a topic of its own, and other devices say only what changed. A reading of a current
alone would be taken for apparent power. So:

- Power and register make a reading at once. What comes within two seconds of it is of the same moment: it is put with
  the same time, and the record there is completed.
- Voltage, current and power factor without them wait for the next reading of the device.
- A device that has said these twice, and never power or register, has nothing else: then they make readings, too.
"""

from casawatt.model.reading import Reading
from casawatt.sources.mqtt_json_units import FIELDS

MOMENT_MS = 2_000
"""What is further apart is not of one moment."""

NAMES = {
    "power": "power_w",
    "register": "register_wh",
    "voltage": "voltage_v",
    "current": "current_a",
    "power_factor": "power_factor_ratio",
}
FIRST = {"power", "register"}

Said = dict[str, float]


class Moments:
    """What one device has said lately. `is_alone`: it can say nothing but voltage, current and power factor."""

    def __init__(self, address: str, *, is_alone: bool) -> None:
        self._address = address
        self._is_alone = is_alone
        self._has_first = False
        self._boot_id: int | None = None
        self._waiting: Said = {}
        self._waiting_from: tuple[int | None, int] = (None, 0)
        self._open: tuple[int | None, int] | None = None
        self._said: set[str] = set()

    def take(self, said: Said, time_ms: int | None, received_ms: int, boot_id: int | None) -> list[Reading]:
        """Return the readings that a message makes, none while what it says waits. `time_ms` is its own stamp."""
        self._boot_id = self._boot_id if boot_id is None else boot_id
        at = time_ms, received_ms
        if FIRST & said.keys():
            self._has_first = True
            if not self._is_of_the_moment(said, at):
                self._open, self._said = at, set()
            whole, self._waiting = self._waiting | said, {}
            return [self._reading(whole, self._open or at)]
        if self._is_of_the_moment(said, at) and self._open:
            return [self._reading(said, self._open)]
        if self._is_alone and not self._has_first:
            return [self._reading(said, at)]
        if self._waiting.keys() & said.keys() and not self._has_first:
            self._is_alone = True
            earlier, self._waiting = self._waiting, {}
            return [self._reading(earlier, self._waiting_from), self._reading(said, at)]
        if not self._waiting:
            self._waiting_from = at
        self._waiting |= said
        return []

    def _is_of_the_moment(self, said: Said, at: tuple[int | None, int]) -> bool:
        """Say whether a message is of the moment of the newest reading, and says what that does not say."""
        if self._open is None or self._said & said.keys() or (self._open[0] is None) is not (at[0] is None):
            return False
        since_ms = (at[1] if at[0] is None else at[0]) - (self._open[1] if self._open[0] is None else self._open[0])
        return 0 <= since_ms <= MOMENT_MS

    def _reading(self, said: Said, at: tuple[int | None, int]) -> Reading:
        self._said |= said.keys()
        time_ms, received_ms = at
        values = {NAMES[field]: said[field] for field in FIELDS if field in said}
        return Reading(
            source="mqtt_json",
            address=self._address,
            received_ms=received_ms,
            time_ms=time_ms,
            boot_id=self._boot_id,
            **values,
        )
