"""What a meter's runs are found with: what is usual for its kind of appliance, and what the config says otherwise."""

from collections.abc import Mapping

import msgspec

from casawatt.config_sections import MeterConfig
from casawatt.engine.runs_settings import Overrides, Settings, settings_of
from casawatt.model.meter import Calibration, Meter
from casawatt.recorder.run_watch import SettingsOf

NAMES = tuple(field.name for field in msgspec.structs.fields(Overrides))


def by_appliance(meter: Meter, calibration: Calibration) -> Settings:
    """Return what is usual for a meter's kind of appliance."""
    return settings_of(meter.appliance, calibration)


def by_config(configured: Mapping[str, MeterConfig]) -> SettingsOf:
    """Return what gives the settings of meters, some of which are in the config, by their slugs."""

    def settings(meter: Meter, calibration: Calibration) -> Settings:
        options = configured.get(meter.slug)
        if options is None:
            return by_appliance(meter, calibration)
        overrides = Overrides(**{name: getattr(options, name) for name in NAMES})
        return settings_of(options.appliance, calibration, overrides)

    return settings
