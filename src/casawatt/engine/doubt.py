"""What becomes of a register's value that does not simply follow: the second half of the rules in `register`."""

import msgspec

from casawatt.engine.counter import (
    BURST_MS,
    SLACK_UJ,
    Doubt,
    Kind,
    Level,
    Register,
    Settled,
    Shown,
    Silence,
    ahead_after,
    followed,
    growth_of,
    is_little,
    learnt,
    same_boot,
    way_round,
)

_MARK_FIRST = (Kind.JUMP, Kind.NOISE)


def judged(register: Register, shown: Shown) -> tuple[Register, Settled]:
    """Return the register after a value, by all the rules, and what is settled by it: nothing if it is set aside."""
    doubt = register.doubt
    if doubt is None:
        return from_mark(register, shown) or _set_aside(register, shown)
    if doubt.kind in _MARK_FIRST:
        found = from_mark(register, shown) or _from_doubt(register, doubt, shown)
    else:
        found = _from_doubt(register, doubt, shown) or from_mark(register, shown)
    if found is not None:
        return found
    if doubt.kind is Kind.NOISE and (noise := _still_noise(register, doubt, shown)) is not None:
        return msgspec.structs.replace(register, doubt=noise), ()
    if doubt.kind is Kind.RESET:
        again = _doubt(register, doubt.level, shown, doubt.level.value)
        if again.kind is Kind.RESET:
            level = doubt.level
            restarted = _at(register, level, register.step_uj, None)
            return msgspec.structs.replace(restarted, doubt=again), ((level.time_ms, doubt.energy_uj),)
    return _set_aside(register, shown)


def from_mark(register: Register, shown: Shown) -> tuple[Register, Settled] | None:
    """Return the register after a value that follows from its mark, whatever was in doubt; None if it does not."""
    found = followed(register.level, shown, register.slack_uj, is_charge=register.is_charge)
    found = found or _in_burst(register, shown)
    if found is None:
        return None
    level, energy_uj = found
    silence = register.silence
    if level.value < register.mark:
        silence = None
    elif shown.time_ms - register.spoke_ms > BURST_MS:
        silence = Silence(register.level, shown.time_ms)
    return _at(register, level, learnt(register.step_uj, energy_uj), silence), ((shown.time_ms, energy_uj),)


def _at(register: Register, level: Level, step_uj: int, silence: Silence | None) -> Register:
    """Return the register with another mark, and nothing in doubt."""
    return Register(
        register.is_charge, level.value, level.time_ms, level.boot_id, level.ahead_uj, step_uj, silence, None
    )


def _in_burst(register: Register, shown: Shown) -> tuple[Level, int] | None:
    """Return the level after a value that could be delivered since the silence just before, and the energy (uJ)."""
    silence = register.silence
    if silence is None or shown.time_ms - silence.until_ms > BURST_MS or shown.value < register.mark:
        return None
    if register.is_charge and same_boot(register.boot_id, shown.boot_id) is False:
        return None
    found = followed(silence.level, shown, register.slack_uj, is_charge=register.is_charge)
    return None if found is None else (found[0], shown.worth_uj(shown.value - register.mark))


def _from_doubt(register: Register, doubt: Doubt, shown: Shown) -> tuple[Register, Settled] | None:
    """Return the register after a value that proves the one in doubt; None if it does not."""
    if doubt.kind is Kind.NOISE and not (doubt.grew and shown.value > doubt.newest):
        return None
    found = followed(doubt.level, shown, register.slack_uj, is_charge=register.is_charge)
    if found is None:
        return None
    level, energy_uj = found
    step_uj = register.step_uj
    if doubt.kind is Kind.JUMP:
        # Perhaps it was one step of a coarse register: the next as high shall count. A finer one soon proves otherwise.
        step_uj = learnt(0, doubt.energy_uj) or step_uj
    before_uj = doubt.energy_uj if doubt.kind is Kind.RESET else None
    settled = ((doubt.level.time_ms, before_uj), (shown.time_ms, energy_uj))
    return _at(register, level, learnt(step_uj, energy_uj), None), settled


def _still_noise(register: Register, doubt: Doubt, shown: Shown) -> Doubt | None:
    """Return the doubt of a little fall after one more value below the mark; None if that is another matter."""
    value, level = shown.value, doubt.level
    restarted = same_boot(register.boot_id, shown.boot_id) is False
    if value >= register.mark or restarted or not is_little(doubt.newest, value):
        return None
    if value < level.value or (doubt.grew and value > doubt.newest):
        return None
    grew = value > doubt.newest or (doubt.grew and value == doubt.newest)
    return Doubt(Kind.NOISE, level, 0, value, grew)


def _set_aside(register: Register, shown: Shown) -> tuple[Register, Settled]:
    """Return the register with this value in doubt; whatever was in doubt before is forgotten."""
    doubt = register.doubt
    before = doubt.newest if doubt is not None and doubt.kind is Kind.NOISE else register.mark
    return msgspec.structs.replace(register, doubt=_doubt(register, register.level, shown, before)), ()


def _doubt(register: Register, level: Level, shown: Shown, before: int) -> Doubt:
    """Return the doubt about a value that does not follow from a level; `before` was shown before it."""
    value, length_ms, slack_uj = shown.value, shown.time_ms - level.time_ms, register.slack_uj
    same = same_boot(level.boot_id, shown.boot_id)
    grown = growth_of(level.value, value, is_charge=register.is_charge, same_boot=same)
    # Where power fills the time nothing is worked off in it.
    kind, energy_uj, ahead_uj = Kind.BACK, 0, level.ahead_uj
    if grown is not None:
        kind, energy_uj = Kind.JUMP, shown.worth_uj(grown[1])
    elif same is not False and is_little(before, value):
        kind = Kind.NOISE
    elif same is not False or 2 * value <= before or shown.worth_uj(value) <= SLACK_UJ:
        wrapped = None if same is False else way_round(level.value, value, is_charge=register.is_charge)
        begun = () if shown.falls_back else (value,)
        for new in begun if wrapped is None else (wrapped, *begun):
            after_uj = ahead_after(level.ahead_uj, shown.worth_uj(new), shown, length_ms, slack_uj)
            if after_uj is not None:
                kind, energy_uj, ahead_uj = Kind.RESET, shown.worth_uj(new), after_uj
                break
    return Doubt(kind, Level(value, shown.time_ms, shown.boot_id, ahead_uj), energy_uj, value)
