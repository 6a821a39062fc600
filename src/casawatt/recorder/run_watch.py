"""What the recorder holds of one meter's runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from casawatt.engine import runs
from casawatt.engine.calibrations import calibration_at
from casawatt.engine.power import power_mw
from casawatt.engine.runs_settings import Settings
from casawatt.model.meter import Calibration, Meter
from casawatt.model.reading import Record
from casawatt.model.run import Run
from casawatt.recorder.line import FAR_MS, QUARTERS_KEPT, Line
from casawatt.recorder.run_fold import DAY_MS, Anew, Fold, Now, Said, now
from casawatt.store.seal import RunStates
from casawatt.store.store import Store

SettingsOf = Callable[[Meter, Calibration], Settings]
"""What a meter's runs are found with while a calibration holds."""

_ANY = Calibration(0)


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed beside a meter's runs: the state, its newest power, and a span that is still to be found anew.

    `settings` are those that the newest runs were found with, `mixed`: some of them were found with others.
    """

    state: bytes
    newest_ms: int
    newest_mw: int | None
    dirty: tuple[int, int] | None
    settings: Settings
    mixed: bool


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Saved)


class Watch:
    """One meter's runs: the state up to the newest power, and the span that is to be found anew.

    `mixed`: some runs were found with other settings than those of now; `has_runs`: there is anything to be found.
    """

    def __init__(self, line: Line, settings_of: SettingsOf, store: Store) -> None:
        """Go on from what was saved; where nothing usable was, everything is to be found anew."""
        self.line = line
        self.meter_id = line.meter_id
        self.mixed = False
        self.dirty: tuple[int, int] | None = None
        self.anew: Anew | None = None
        self.fold = Fold(runs.START)
        self._settings_of = settings_of
        self._settings: dict[Calibration, Settings] = {}
        self.has_runs = self.settings_at(_ANY).runs
        saved = _loaded(store.runs.state(line.meter_id))
        state = runs.load(saved.state) if saved is not None else None
        if saved is None or state is None:
            if store.first_time_ms(line.meter_id) is not None:
                self.mark(-FAR_MS, FAR_MS)
            return
        self.fold = Fold(state, saved.newest_ms)
        self.fold.newest_mw = saved.newest_mw
        self.dirty = saved.dirty
        self.mixed = saved.mixed or saved.settings != self.settings_at(_ANY)

    def settings_at(self, calibration: Calibration) -> Settings:
        """Return what runs are found with while a calibration holds."""
        found = self._settings.get(calibration)
        if found is None:
            found = self._settings[calibration] = self._settings_of(self.line.meter, calibration)
        return found

    def renew(self) -> None:
        """Take over what is said of the meter now."""
        known, self._settings = self.settings_at(_ANY), {}
        now = self.settings_at(_ANY)
        self.mixed |= known != now
        self.has_runs = now.runs

    def now(self, now_ms: int) -> Now:
        """Return what the appliance does at a time not before the newest power."""
        return now(self.fold, now_ms, self.settings_at(self.line.calibration))

    def forget(self, boundaries_ms: Iterable[int]) -> None:
        """Forget states of whole days that are in the store now."""
        for at_ms in boundaries_ms:
            self.fold.days.pop(at_ms, None)

    def saved(self) -> RunStates:
        """Return what is to be sealed beside the runs."""
        fold, settings = self.fold, self.settings_at(_ANY)
        saved = Saved(runs.dump(fold.state), fold.newest_ms, fold.newest_mw, self.dirty, settings, self.mixed)
        snapshots = [(at_ms, runs.dump(state)) for at_ms, state in sorted(fold.days.items())]
        return RunStates(_encoder.encode(saved), snapshots)

    def mark(self, from_ms: int, to_ms: int) -> None:
        """Note that what was found of a span is no longer what the readings say."""
        dirty = self.dirty
        self.dirty = (from_ms, to_ms) if dirty is None else (min(dirty[0], from_ms), max(dirty[1], to_ms))
        if self.anew is not None and not self.anew.back_to(from_ms):
            self.anew = None

    def take(self, fresh: Sequence[Record]) -> dict[int, Run | None]:
        """Go on by records in ascending time; returns which runs there are by their start, and which no longer."""
        fold = self.fold
        for calibration, records in self._by_calibration(fresh):
            said = _said(records, calibration)
            if said and said[0][0] <= fold.newest_ms:
                # The newest record has more to say: what it was folded into is found anew.
                if said[0] != (fold.newest_ms, fold.newest_mw):
                    self.mark(said[0][0], said[0][0])
                said = [each for each in said if each[0] > fold.newest_ms]
            fold.advance(said, self.settings_at(calibration))
        if len(fold.quarters) > 2 * QUARTERS_KEPT:
            fold.drop_quarters()
        return fold.taken()

    def _by_calibration(self, fresh: Sequence[Record]) -> Iterator[tuple[Calibration, Iterable[Record]]]:
        line = self.line
        if fresh[0].time_ms >= line.calibration.from_ms or len(line.calibrations) == 1:
            yield line.calibration, fresh
            return
        for calibration, records in groupby(fresh, lambda record: calibration_at(line.calibrations, record.time_ms)):
            yield calibration, list(records)

    def begin_anew(self, store: Store, *, whole: bool) -> Anew:
        """Begin to find the dirty span anew, or with `whole` everything."""
        kept = None if whole or self.dirty is None else self._state_before(store, self.dirty[0])
        if kept is None:
            first_ms = store.first_time_ms(self.meter_id)
            kept = (0 if first_ms is None else first_ms - first_ms % DAY_MS), runs.START
        self.anew = Anew(kept[1], kept[0])
        return self.anew

    def _state_before(self, store: Store, time_ms: int) -> tuple[int, runs.RunState] | None:
        """Return the newest boundary not after a time at which the state is known, and that state."""
        in_memory = self.fold.before(time_ms)
        saved = store.runs.snapshot_before(self.meter_id, time_ms)
        if saved is None or (in_memory is not None and in_memory[0] >= saved[0]):
            return in_memory
        state = runs.load(saved[1])
        return None if state is None else (saved[0], state)

    def go_on(self, store: Store) -> tuple[int, dict[int, Run | None] | None]:
        """Look at the next piece anew; returns how many powers were in it, and at the end what was found."""
        anew = self.anew or self.begin_anew(store, whole=False)
        count = anew.look_at(store, self.line, self.settings_at)
        until_ms = self._rejoined_ms(anew, store)
        last = store.last_record(self.meter_id)
        if until_ms is None and last is not None and anew.position_ms <= last.time_ms:
            return count, None
        return count, self._finish(anew, FAR_MS if until_ms is None else until_ms, store)

    def _rejoined_ms(self, anew: Anew, store: Store) -> int | None:
        """Return the first boundary at which the state is again what it was, None where there is none yet."""
        from_ms = anew.from_ms if self.dirty is None else max(self.dirty[1], anew.from_ms)
        made = sorted({*anew.fold.quarters, *anew.fold.days})
        return next((at for at in made if at > from_ms and self._known(at, store) == anew.fold.at(at)), None)

    def _known(self, at_ms: int, store: Store) -> runs.RunState | None:
        """Return the state that was kept for exactly this boundary, None when none was."""
        if at_ms in self.fold.quarters or at_ms in self.fold.days:
            return self.fold.at(at_ms)
        saved = None if at_ms % DAY_MS else store.runs.snapshot_before(self.meter_id, at_ms)
        return runs.load(saved[1]) if saved is not None and saved[0] == at_ms else None

    def _finish(self, anew: Anew, until_ms: int, store: Store) -> dict[int, Run | None]:
        """Let what was found anew stand in the place of what was found before; returns it."""
        mine, made = self.fold, anew.fold
        end_ms = until_ms if until_ms == FAR_MS else anew.first_open_ms(until_ms)
        found = {start_ms: run for start_ms, run in made.taken().items() if start_ms < end_ms}
        ended = [run for run in found.values() if run is not None and run.end_ms is not None]
        store.runs.replace(self.meter_id, anew.replaced_from_ms, end_ms, ended)
        for kept, new in ((mine.quarters, made.quarters), (mine.days, made.days)):
            for at_ms in [at_ms for at_ms in kept if anew.from_ms < at_ms < until_ms]:
                del kept[at_ms]
            kept.update({at_ms: state for at_ms, state in new.items() if at_ms < until_ms})
        if until_ms == FAR_MS:
            made.quarters, made.days = mine.quarters, mine.days
            self.fold = made
        self.anew, self.dirty = None, None
        return found


def _said(records: Iterable[Record], calibration: Calibration) -> list[Said]:
    """Return the power of each record that counts; of records of the same time that of the last."""
    if calibration.ignores_all:
        return []
    limit_mw = 1 << 62 if calibration.limit_mw is None else calibration.limit_mw
    ignored = calibration.ignored_devices
    said: dict[int, int] = {}
    for record in records:
        mw = record.power_mw
        if mw is None:
            mw = power_mw(record, calibration)
        if mw is not None and -limit_mw <= mw <= limit_mw and record.device_id not in ignored:
            said[record.time_ms] = mw
    return list(said.items())


def _loaded(data: bytes | None) -> Saved | None:
    try:
        return None if data is None else _decoder.decode(data)
    except msgspec.DecodeError:
        return None
