"""What the presets of `mqtt_json` stand for. `docs/devices/mqtt_json.md` explains each."""

from typing import Any

PRESETS: dict[str, list[dict[str, Any]]] = {
    "zigbee2mqtt": [
        {
            "topic": "zigbee2mqtt/{device#}",
            "address": "zigbee2mqtt/{device}",
            "presence": "{topic}/availability",
            "power": "power",
            "register": "energy",
            "voltage": "voltage",
            "current": "current",
            "power_factor": "power_factor",
            "time": "last_seen",
            "register_unit": "kWh",
            "voltage_unit": "announced",
            "current_unit": "announced",
            "power_factor_unit": "announced",
            "gap_limit_s": 3900.0,
        }
    ],
    "esphome": [
        {
            "topic": "{device}/sensor/{field}/state",
            "address": "esphome/{device}",
            "cadence": "polled",
            "presence": "{device}/status",
            "power": "power",
            "register": "energy",
            "voltage": "voltage",
            "current": "current",
            "power_factor": "power_factor",
            "register_unit": "announced",
            "gap_limit_s": 200.0,
        }
    ],
    "rtl_433": [
        {
            "topic": "rtl_433/{host}/events",
            "address": "rtl_433/{model}/{id}",
            "power": ["power_W", "power0_W"],
            "register": "energy_kWh",
            "current": ["current_A", "current"],
            "voltage": "voltage_V",
            "register_unit": "kWh",
            "cadence": "polled",
            "gap_limit_s": 120.0,
        },
        *(
            {
                "topic": "rtl_433/{host}/events",
                "address": "rtl_433/{model}/{id}",
                "suffix": f"/{number}",
                "power": f"power{number}_W",
                "cadence": "polled",
                "gap_limit_s": 120.0,
            }
            for number in (1, 2)
        ),
    ],
}
"""Options of the entries that each preset stands for; an entry's own options go before."""
