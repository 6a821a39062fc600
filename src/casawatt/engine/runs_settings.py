"""What is known about kinds of appliances before anything was measured: how strong, how long, how quiet."""

import msgspec

from casawatt.model.meter import Calibration


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """How an appliance of a kind behaves. All of it can be overridden for a meter.

    `on_w`: from this power on it does something; less is standby. Raised where the meter's own standby is higher.
    `standby_w`: what it uses in standby, None: learned.
    `work_w`, `work_wh`: a run is what has used so much energy at no less than this power. Blips never do.
    `heat_w`: from this power on it heats.
    `start_after_s`: a run is active for at least so long.
    `end_after_s`: after so much quiet it has finished.
    `pause_limit_s`: what resumes within this is the same run, unless it begins as a new one would.
    `quiet_limit_s`: a last blip of a pump belongs to the run before it, after up to so much quiet (passive drying); 0:
    this kind does no such thing.
    `bridge_limit_s`: activity before and after a gap in the readings is one run if the gap is no longer than this.
    `lead_limit_s`: so much quiet may lie between its weak first steps and the first real work.
    `break_s`: after so much quiet it is in doubt whether what follows belongs to the run.
    `finished_s`: so long it counts as `finished` after a run, then as standby or off.
    `tumbles`: short turns of the drum after the end are not the run's.
    `fills`: it begins with weak power (valve, pump) before the real work, so that a new run can be told from a pause.
    `pulses`: its drum turns and rests by turns, some seconds each.
    `motor`: what its power below heating is called.
    `runs`: it has runs at all.
    `learns_on`: nothing is known of its kind; what is standby is learned from all of its history.
    """

    on_w: float = 5.0
    standby_w: float | None = None
    work_w: float = 15.0
    work_wh: float = 0.5
    heat_w: float = 500.0
    start_after_s: float = 20.0
    end_after_s: float = 120.0
    pause_limit_s: float = 120.0
    quiet_limit_s: float = 0.0
    bridge_limit_s: float = 300.0
    lead_limit_s: float = 60.0
    break_s: float = 45.0
    finished_s: float = 3600.0
    tumbles: bool = False
    fills: bool = False
    pulses: bool = False
    motor: str = "on"
    runs: bool = True
    learns_on: bool = False


PRESETS = {
    "washing_machine": Preset(
        on_w=7,
        work_w=25,
        work_wh=1,
        heat_w=1000,
        pause_limit_s=300,
        bridge_limit_s=600,
        lead_limit_s=240,
        fills=True,
        pulses=True,
        motor="motor",
    ),
    "dishwasher": Preset(
        on_w=7,
        work_w=25,
        work_wh=2.5,
        heat_w=1000,
        pause_limit_s=360,
        quiet_limit_s=2400,
        bridge_limit_s=600,
        lead_limit_s=240,
        fills=True,
        motor="motor",
    ),
    "dryer": Preset(
        on_w=7,
        work_w=25,
        work_wh=2.5,
        pause_limit_s=180,
        bridge_limit_s=600,
        break_s=15,
        tumbles=True,
        motor="motor",
    ),
    "3d_printer": Preset(
        on_w=20, work_w=25, work_wh=2.5, end_after_s=150, pause_limit_s=600, lead_limit_s=120, bridge_limit_s=600
    ),
    "oven": Preset(on_w=60, work_w=200, work_wh=20, heat_w=400, end_after_s=600, pause_limit_s=600),
    "kettle": Preset(
        on_w=300,
        work_w=300,
        work_wh=2,
        start_after_s=5,
        end_after_s=30,
        pause_limit_s=30,
        bridge_limit_s=60,
        break_s=20,
        finished_s=600,
    ),
    "fridge": Preset(on_w=25, work_w=25, work_wh=0.5, end_after_s=60, pause_limit_s=60, finished_s=0, motor="motor"),
    "ev": Preset(on_w=300, work_w=300, work_wh=20, end_after_s=150, pause_limit_s=900, bridge_limit_s=900),
    "mains": Preset(runs=False, finished_s=0),
}
"""By the name of the appliance, as in `[meter.<slug>] appliance`."""

GENERIC = Preset(learns_on=True)
"""For a kind of appliance that has no preset."""

SAME = {"freezer": "fridge", "wallbox": "ev", "tumble_dryer": "dryer"}
"""Other names for the kinds above."""


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner says of one meter instead of the preset; None: as the preset has it. See `Preset`."""

    standby_w: float | None = None
    on_w: float | None = None
    work_w: float | None = None
    work_wh: float | None = None
    start_after_s: float | None = None
    end_after_s: float | None = None
    pause_limit_s: float | None = None
    quiet_limit_s: float | None = None
    bridge_limit_s: float | None = None


class Settings(msgspec.Struct, frozen=True, gc=False):
    """A preset with its overrides, in whole numbers: mW, ms and microjoules. See `Preset` for what each means."""

    gap_limit_ms: int
    on_mw: int
    standby_mw: int | None
    work_mw: int
    work_uj: int
    heat_mw: int
    start_after_ms: int
    end_after_ms: int
    pause_limit_ms: int
    quiet_limit_ms: int
    bridge_limit_ms: int
    lead_limit_ms: int
    break_ms: int
    finished_ms: int
    tumbles: bool
    fills: bool
    pulses: bool
    motor: str
    runs: bool
    learns_on: bool


def preset_of(appliance: str | None) -> Preset:
    """Return what is known of a kind of appliance; of one that is not known, or none, the generic preset."""
    name = appliance or ""
    return PRESETS.get(SAME.get(name, name), GENERIC)


def settings_of(appliance: str | None, calibration: Calibration, overrides: Overrides | None = None) -> Settings:
    """Return the settings for a meter's runs: the kind's preset, then what the owner says, and the gap limit.

    Raises ValueError for an override that is negative.
    """
    preset = preset_of(appliance)
    if overrides is not None:
        said = {name: value for name, value in msgspec.structs.asdict(overrides).items() if value is not None}
        for name, value in said.items():
            if value < 0:
                message = f"{name} must not be negative: {value}"
                raise ValueError(message)
        if "on_w" in said:
            said["work_w"] = said.get("work_w", max(said["on_w"], preset.work_w))
        preset = msgspec.structs.replace(preset, **said)
    return Settings(
        calibration.gap_limit_ms,
        _milli(preset.on_w),
        None if preset.standby_w is None else _milli(preset.standby_w),
        _milli(preset.work_w),
        round(preset.work_wh * 3_600_000_000),
        _milli(preset.heat_w),
        _milli(preset.start_after_s),
        _milli(preset.end_after_s),
        max(_milli(preset.pause_limit_s), _milli(preset.end_after_s)),
        _milli(preset.quiet_limit_s),
        _milli(preset.bridge_limit_s),
        _milli(preset.lead_limit_s),
        min(_milli(preset.break_s), _milli(preset.end_after_s)),
        _milli(preset.finished_s),
        preset.tumbles,
        preset.fills,
        preset.pulses,
        preset.motor,
        preset.runs,
        preset.learns_on,
    )


def _milli(value: float) -> int:
    return round(value * 1000)
