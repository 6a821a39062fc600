"""What is remembered of a device's register, and whether one value of it can follow from another.

The rules are told in `register`, which steps; `doubt` judges the values that do not simply follow.
"""

from enum import IntEnum

import msgspec

from casawatt.model.interval import MICROJOULES_PER_MWH
from casawatt.model.reading import POWER_FACTOR_ONE

COUNTER_32_BIT = 2**32
ENERGY_WHEELS_MWH = (10**8, COUNTER_32_BIT, 10**9, 10**10, 10**11)
"""Where energy registers are known to start again: 5 to 8 digits of Wh, and 32 bits of mWh."""
CHARGE_WHEELS_MAS = (COUNTER_32_BIT,)
WRAP_WINDOW_MAX = 1_000_000
"""The furthest from a wheel's end (mWh or mA s) at which a fall is taken for a wrap without other proof."""

JITTER_MWH = 1_000
JITTER_MAS = 15_000
"""A fall of no more than this (1 Wh, about the same at 230 V) is the last digit of a register that trembles."""

SLACK_UJ = 20_000 * MICROJOULES_PER_MWH
"""How far a register may be ahead of what could be delivered: 20 Wh, two steps of one that counts in steps of 10 Wh,
the coarsest that are common."""
COARSE_UJ = 1_000_000 * MICROJOULES_PER_MWH
"""The coarsest step that a register is believed to count in, 1 kWh; one that does has that much slack."""

BURST_MS = 60_000
"""Values so soon after a silence longer than this may have waited and come all at once."""

ENERGY_UJ_E4 = MICROJOULES_PER_MWH * POWER_FACTOR_ONE

Settled = tuple[tuple[int, int | None], ...]
"""What a value settles: for one time after the other since the last that was settled, until when (UTC ms) it lasts, and
the energy (uJ) that the register counted over it; None where it does not know."""


class Kind(IntEnum):
    """Why a value is in doubt."""

    JUMP = 1
    """More than could be delivered."""
    RESET = 2
    """It fell, to so little that it may have begun at zero since, or wrapped."""
    BACK = 3
    """It fell, to more than that: to what the device had saved, perhaps."""
    NOISE = 4
    """It fell a little."""


class Level(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A value (mWh, or mA s of charge) to count on from: when it was shown (UTC ms), and in which life of the device.

    `ahead_uj`: by how much more was counted up to then than could be delivered, as slack allows.
    """

    value: int
    time_ms: int
    boot_id: int | None
    ahead_uj: int


class Doubt(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A value that was set aside until later ones decide.

    `energy_uj` is what would count for it: of a jump its height, of a reset all that it shows, or the way round.
    `newest` is the value after it that was shown last, and `grew` whether that one was higher than the one before it;
    both matter for noise.
    """

    kind: Kind
    level: Level
    energy_uj: int
    newest: int
    grew: bool = False


class Silence(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The register's last silence of more than `BURST_MS`: the mark before it, and when it ended (UTC ms)."""

    level: Level
    until_ms: int


class Register(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is remembered of a register.

    `mark` is the value that growth is counted from, `spoke_ms` when it or a trembling digit of it was shown last,
    `boot_id` the life that was in. `ahead_uj` is as in `Level`. `step_uj` is the least that it grew by since it last
    jumped, the jump's height included, as long as that is no more than `COARSE_UJ`; 0 until it did.
    """

    is_charge: bool
    mark: int
    spoke_ms: int
    boot_id: int | None
    ahead_uj: int = 0
    step_uj: int = 0
    silence: Silence | None = None
    doubt: Doubt | None = None

    @property
    def level(self) -> Level:
        """The mark as a level."""
        return Level(self.mark, self.spoke_ms, self.boot_id, self.ahead_uj)

    @property
    def slack_uj(self) -> int:
        """How far it may be ahead of what could be delivered: its own step, if that is coarse."""
        return max(SLACK_UJ, self.step_uj)


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A register's value in a record, with all that it takes to judge it.

    `uj_e4`: what one unit of it is worth, in microjoules times 10,000. `falls_back`: it never begins at zero again.
    """

    value: int
    time_ms: int
    boot_id: int | None
    limit_mw: int | None
    uj_e4: int
    falls_back: bool

    def worth_uj(self, growth: int) -> int:
        """Return growth in the register's own unit as energy."""
        return growth * self.uj_e4 // POWER_FACTOR_ONE


def same_boot(earlier: int | None, later: int | None) -> bool | None:
    """Say whether two records come from one life of the device; None when one does not tell."""
    return None if earlier is None or later is None else earlier == later


def growth_of(mark: int, value: int, *, is_charge: bool, same_boot: bool | None) -> tuple[int, int] | None:
    """Return the new mark and how much of `value` is new, in the register's own unit; None for a fall.

    `same_boot` is None when it is not known whether the device restarted.
    """
    if is_charge and same_boot is False:
        return value, value
    if value >= mark:
        return value, value - mark
    if is_charge and same_boot and mark < COUNTER_32_BIT:
        forward = (value - mark) % COUNTER_32_BIT
        if forward < COUNTER_32_BIT // 2:
            return value, forward
    if same_boot is False:
        return None
    if is_little(mark, value):
        return (mark, 0) if mark - value <= (JITTER_MAS if is_charge else JITTER_MWH) else None
    return None


def is_little(before: int, value: int) -> bool:
    """Say whether a fall is one of no more than a tenth."""
    return 10 * value >= 9 * before


def way_round(mark: int, value: int, *, is_charge: bool) -> int | None:
    """Return the way from `mark` round a wheel whose end lies just above it to `value`, if that is just above zero."""
    for wheel in CHARGE_WHEELS_MAS if is_charge else ENERGY_WHEELS_MWH:
        window = min(wheel // 1000, WRAP_WINDOW_MAX)
        if wheel - window <= mark < wheel and value <= window:
            return wheel - mark + value
    return None


def ahead_after(ahead_uj: int, energy_uj: int, shown: Shown, length_ms: int, slack_uj: int) -> int | None:
    """Return how far ahead of what could be delivered a register is once it has counted more; None if too far.

    What could be delivered in the time is never too much.
    """
    if shown.limit_mw is None:
        return 0
    over_uj = energy_uj - shown.limit_mw * length_ms
    ahead_uj += over_uj
    if over_uj > 0 and ahead_uj > slack_uj:
        return None
    return max(ahead_uj, 0)


def followed(level: Level, shown: Shown, slack_uj: int, *, is_charge: bool) -> tuple[Level, int] | None:
    """Return the level after a value that follows from another, and the energy (uJ) between; None if it cannot."""
    grown = growth_of(level.value, shown.value, is_charge=is_charge, same_boot=same_boot(level.boot_id, shown.boot_id))
    if grown is None:
        return None
    energy_uj = shown.worth_uj(grown[1])
    ahead_uj = ahead_after(level.ahead_uj, energy_uj, shown, shown.time_ms - level.time_ms, slack_uj)
    if ahead_uj is None:
        return None
    return Level(grown[0], shown.time_ms, shown.boot_id, ahead_uj), energy_uj


def learnt(step_uj: int, energy_uj: int) -> int:
    """Return the least step (uJ) of a register that grew once more."""
    if 0 < energy_uj <= COARSE_UJ and (not step_uj or energy_uj < step_uj):
        return energy_uj
    return step_uj
