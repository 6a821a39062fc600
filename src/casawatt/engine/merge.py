"""Two records of one meter at one time are one record."""

from casawatt.model.reading import Record


def merged(earlier: Record, later: Record) -> Record:
    """Return what two records of the same time say together.

    `later` is the one that arrived later: what it says wins, channel by channel; what it does not say stays. Its
    device is taken too.
    """
    return Record(
        later.time_ms,
        later.device_id,
        earlier.power_mw if later.power_mw is None else later.power_mw,
        earlier.register_mwh if later.register_mwh is None else later.register_mwh,
        earlier.voltage_mv if later.voltage_mv is None else later.voltage_mv,
        earlier.current_ma if later.current_ma is None else later.current_ma,
        earlier.power_factor_e4 if later.power_factor_e4 is None else later.power_factor_e4,
        earlier.charge_mas if later.charge_mas is None else later.charge_mas,
        earlier.boot_id if later.boot_id is None else later.boot_id,
    )
