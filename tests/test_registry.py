"""Meters, the devices behind them and their calibrations, as dated records."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from casawatt.config_sections import HomeConfig, MeterConfig
from casawatt.model.errors import RegistryError, StoreFullError, UnknownMeterError
from casawatt.model.meter import Cadence, Traits
from casawatt.model.reading import Reading
from casawatt.newcomers import NEW_DEVICES_KEPT
from casawatt.registry import Adoption, Registry
from casawatt.store.database import Database
from casawatt.store.rows import RegistryRows

TRAITS = {"nodes": Traits(Cadence.POLLED, gap_limit_ms=35_000)}
NOW_MS = 1_800_000_000_000


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[RegistryRows]:
    database = Database(tmp_path / "casawatt.db", read_only=False)
    yield RegistryRows(database)
    database.close()


@pytest.fixture
def registry(rows: RegistryRows) -> Registry:
    return Registry(rows, HomeConfig(nominal_voltage_v=225), TRAITS)


def adoption(slug: str = "fridge", address: str = "a1", parent: str | None = None) -> Adoption:
    return Adoption(slug, slug.title(), "nodes", address, parent=parent)


def heard(registry: Registry, address: str, current_a: float = 1.0) -> bool:
    return registry.heard(Reading(source="nodes", address=address, received_ms=NOW_MS, current_a=current_a), "fridge")


def test_an_adopted_device_measures_for_its_meter_for_all_its_time(registry: Registry) -> None:
    meter = registry.adopt(adoption(), NOW_MS)
    (binding,) = registry.bindings(meter)
    assert (binding.device.source, binding.device.address) == ("nodes", "a1")
    assert binding.from_ms == 0
    assert binding.to_ms is None


def test_a_meter_takes_voltage_from_the_home_and_cadence_and_gap_limit_from_the_source(registry: Registry) -> None:
    (calibration,) = registry.calibrations(registry.adopt(adoption(), NOW_MS))
    assert calibration.nominal_voltage_mv == 225_000
    assert calibration.cadence is Cadence.POLLED
    assert calibration.gap_limit_ms == 35_000


def test_a_slug_or_a_device_cannot_be_taken_twice(registry: Registry) -> None:
    registry.adopt(adoption(), NOW_MS)
    with pytest.raises(RegistryError, match="there is a meter 'fridge' already"):
        registry.adopt(adoption(address="a2"), NOW_MS)
    with pytest.raises(RegistryError, match="nodes a1 already measures for 'fridge'"):
        registry.adopt(adoption(slug="other"), NOW_MS)


def test_a_meter_is_part_of_one_that_exists(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="there is no meter 'mains'"):
        registry.adopt(adoption(parent="mains"), NOW_MS)
    with pytest.raises(RegistryError, match="cannot be part of itself"):
        registry.adopt(adoption(parent="fridge"), NOW_MS)
    assert registry.meters() == []


def test_a_device_of_an_unknown_source_is_not_adopted(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="there is no source 'nosuch'; there are: nodes"):
        registry.adopt(Adoption("fridge", "Fridge", "nosuch", "a1"), NOW_MS)


def test_an_unknown_meter_is_named_with_those_that_are_known(registry: Registry) -> None:
    registry.adopt(adoption(), NOW_MS)
    with pytest.raises(UnknownMeterError, match="no meter 'oven'; there are: fridge"):
        registry.meter("oven")


def test_a_device_without_a_meter_is_remembered_until_it_is_adopted(registry: Registry) -> None:
    assert heard(registry, "a1")
    assert not heard(registry, "a1", current_a=2.0)
    heard(registry, "a2")
    assert [(device.address, device.current_a) for device in registry.new_devices()] == [("a2", 1.0), ("a1", 2.0)]
    registry.adopt(adoption(), NOW_MS)
    assert [device.address for device in registry.new_devices()] == ["a2"]


def test_a_flood_of_forged_devices_does_not_fill_the_memory(registry: Registry) -> None:
    for number in range(NEW_DEVICES_KEPT * 3):
        heard(registry, f"forged-{number}")
    assert len(registry.new_devices()) == NEW_DEVICES_KEPT


def test_an_adoption_that_finds_no_room_leaves_nothing_behind_and_can_be_repeated(
    registry: Registry, rows: RegistryRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        message = "the disk is full"
        raise StoreFullError(message)

    heard(registry, "a1")
    with monkeypatch.context() as patched:
        patched.setattr(rows.dated, "add_calibration", full)
        with pytest.raises(StoreFullError):
            registry.adopt(adoption(), NOW_MS)
    assert registry.meters() == rows.meters() == []
    assert rows.devices() == []
    assert rows.dated.bindings() == []
    assert [device.address for device in registry.new_devices()] == ["a1"]
    meter = registry.adopt(adoption(), NOW_MS)
    assert registry.owner("nodes", "a1") == meter


def test_the_config_makes_meters_once(registry: Registry, rows: RegistryRows) -> None:
    configured = {"fridge": MeterConfig(source="nodes", address="a1", name="Frigo")}
    assert registry.apply(configured, NOW_MS)
    again = Registry(rows, HomeConfig(nominal_voltage_v=225), TRAITS)
    assert again.apply(configured, NOW_MS + 1) == []
    assert again.meter("fridge").name == "Frigo"
    assert len(again.bindings()) == 1


def test_another_device_in_the_config_replaces_the_first_from_now_on(registry: Registry) -> None:
    registry.apply({"fridge": MeterConfig(source="nodes", address="a1")}, NOW_MS)
    registry.apply({"fridge": MeterConfig(source="nodes", address="a2")}, NOW_MS + 5)
    first, second = registry.bindings(registry.meter("fridge"))
    assert (first.device.address, first.from_ms, first.to_ms) == ("a1", 0, NOW_MS + 5)
    assert (second.device.address, second.from_ms, second.to_ms) == ("a2", NOW_MS + 5, None)


def test_a_new_power_factor_holds_from_now_on_and_not_before(registry: Registry) -> None:
    registry.apply({"fridge": MeterConfig(source="nodes", address="a1")}, NOW_MS)
    registry.apply({"fridge": MeterConfig(source="nodes", address="a1", power_factor_ratio=0.6)}, NOW_MS + 5)
    first, second = registry.calibrations(registry.meter("fridge"))
    assert (first.from_ms, first.power_factor_e4) == (0, 10_000)
    assert (second.from_ms, second.power_factor_e4) == (NOW_MS + 5, 6_000)


def test_what_a_source_declares_anew_holds_for_adopted_meters_from_now_on(rows: RegistryRows) -> None:
    Registry(rows, HomeConfig(), TRAITS).adopt(adoption(), NOW_MS)
    changed = Registry(rows, HomeConfig(), {"nodes": Traits(Cadence.POLLED, gap_limit_ms=90_000)})
    assert changed.apply({}, NOW_MS + 5) == ["meter fridge from now on calibrated anew, as [source.nodes] declares"]
    assert [each.gap_limit_ms for each in changed.calibrations(changed.meter("fridge"))] == [35_000, 90_000]


def test_a_meters_limit_is_its_own_or_the_lower_one_of_device_and_supply(rows: RegistryRows) -> None:
    traits = {"plugs": Traits(Cadence.POLLED, gap_limit_ms=35_000, limit_w=5000)}
    registry = Registry(rows, HomeConfig(), traits, supply_limit_w=3300)
    plug = MeterConfig(source="plugs", address="a1")
    registry.apply({"plug": plug}, NOW_MS)
    own = msgspec.structs.replace(plug, limit_w=12_000, gap_limit_s=90, cadence=Cadence.CHANGE)
    assert registry.apply({"plug": own}, NOW_MS + 5) == ["meter plug from now on calibrated anew"]
    assert registry.apply({"plug": own}, NOW_MS + 6) == []
    larger = Registry(rows, HomeConfig(), traits, supply_limit_w=90_000)
    larger.apply({"plug": plug}, NOW_MS + 7)
    assert [
        (each.from_ms, each.limit_mw, each.gap_limit_ms, each.cadence)
        for each in larger.calibrations(larger.meter("plug"))
    ] == [
        (0, 3_300_000, 35_000, Cadence.POLLED),
        (NOW_MS + 5, 12_000_000, 90_000, Cadence.CHANGE),
        (NOW_MS + 7, 5_000_000, 35_000, Cadence.POLLED),
    ]


def test_a_smaller_supply_holds_for_adopted_meters_too_from_now_on(rows: RegistryRows) -> None:
    Registry(rows, HomeConfig(), TRAITS).adopt(adoption(), NOW_MS)
    smaller = Registry(rows, HomeConfig(), TRAITS, supply_limit_w=3300)
    assert len(smaller.apply({}, NOW_MS + 5)) == 1
    assert [each.limit_mw for each in smaller.calibrations(smaller.meter("fridge"))] == [50_000_000, 3_300_000]


def test_a_source_may_say_of_each_device_what_its_readings_are_like(rows: RegistryRows) -> None:
    def traits_of(address: str) -> Traits:
        return Traits(Cadence.CHANGE, gap_limit_ms=7000 if address == "a1" else 9000, limit_w=2500)

    registry = Registry(rows, HomeConfig(), TRAITS, traits_of={"nodes": traits_of})
    registry.apply({"oven": MeterConfig(source="nodes", address="a2")}, NOW_MS)
    registry.adopt(adoption(), NOW_MS)
    found = {
        meter.slug: (each.gap_limit_ms, each.limit_mw)
        for meter in registry.meters()
        for each in registry.calibrations(meter)
    }
    assert found == {"fridge": (7000, 2_500_000), "oven": (9000, 2_500_000)}
    assert registry.traits("nodes", "a1").gap_limit_ms == 7000


def test_thousands_of_meters_are_brought_up_to_the_config_in_one_go(rows: RegistryRows) -> None:
    configured = {f"m-{number}": MeterConfig(source="nodes", address=f"a{number}") for number in range(3000)}
    registry = Registry(rows, HomeConfig(), TRAITS)
    assert len(registry.apply(configured, NOW_MS)) == 3000
    assert registry.apply(configured, NOW_MS + 1) == []
    assert len({registry.bindings(meter)[0].device.address for meter in registry.meters()}) == 3000


def test_a_meter_that_left_the_config_keeps_its_history_and_device(registry: Registry) -> None:
    registry.apply({"fridge": MeterConfig(source="nodes", address="a1")}, NOW_MS)
    assert registry.apply({}, NOW_MS + 5) == []
    assert registry.owner("nodes", "a1") == registry.meter("fridge")
