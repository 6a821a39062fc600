import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from casawatt.files import parquet_export
from casawatt.files.csv_export import bucket_lines, decimal, raw_lines, write_csv
from casawatt.files.csv_import import CsvImport, Options, preview
from casawatt.files.import_report import Report
from casawatt.files.spans import edges, local_days
from casawatt.model.columns import ABSENT, Columns
from casawatt.model.interval import Bucket
from casawatt.model.reading import CHANNELS, Record
from casawatt.recordings.row import Row

ROME = ZoneInfo("Europe/Rome")
HOUR_MS = 3_600_000
CHANGE_DAY_MS = 1_603_576_800_000  # 2020-10-25T00:00 in Rome, a day of 25 hours
SCALES = {"power_mw": "power_w", "register_mwh": "register_wh", "voltage_mv": "voltage_v", "current_ma": "current_a"}


def columns_of(records: Sequence[Record]) -> Columns:
    def column(name: str) -> np.ndarray:
        values = [getattr(record, name) for record in records]
        return np.array([ABSENT if value is None else value for value in values], dtype=np.int64)

    return Columns(column("time_ms"), column("device_id"), {name: column(name) for name in CHANNELS})


def as_record(reading: Row) -> Record:
    """What any home makes of a row: whole numbers of the channel's unit."""

    def whole(value: float | None, scale: int) -> int | None:
        return None if value is None else round(value * scale)

    return Record(
        reading.time_ms,
        1,
        whole(reading.power_w, 1000),
        whole(reading.register_wh, 1000),
        whole(reading.voltage_v, 1000),
        whole(reading.current_a, 1000),
        whole(reading.power_factor_ratio, 10_000),
        whole(reading.charge_as, 1000),
        reading.boot_id,
    )


def optional(low: int, high: int) -> st.SearchStrategy[int | None]:
    return st.none() | st.integers(low, high)


records_strategy = st.lists(
    st.builds(
        Record,
        st.integers(CHANGE_DAY_MS - HOUR_MS, CHANGE_DAY_MS + 30 * HOUR_MS),
        st.just(1),
        optional(-(10**8), 10**9),
        optional(0, 10**13),
        optional(0, 10**6),
        optional(0, 10**6),
        optional(0, 10_000),
        optional(0, 10**15),
        st.integers(0, 2**63 - 1),
    ),
    max_size=30,
    unique_by=lambda record: record.time_ms,
).map(lambda records: sorted(records, key=lambda record: record.time_ms))


@given(records=records_strategy, utc=st.booleans())
def test_what_is_exported_and_imported_again_is_exactly_the_same(records: list[Record], *, utc: bool) -> None:
    def exported() -> list[str]:
        span = CHANGE_DAY_MS - 2 * HOUR_MS, CHANGE_DAY_MS + 40 * HOUR_MS
        return list(raw_lines(lambda a, b: columns_of(records).between(a, b), *span, ROME, utc=utc))

    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        assert write_csv(exported(), path) == len(records) + 1
        if not records:
            return
        seen = preview(path, Options())
        rows = [row for batch in CsvImport(seen).batches({"": "copy"}, Report(ROME)) for row in batch.rows]
    assert seen.plan.format == "casawatt"
    assert [as_record(row) for row in rows] == records


def test_devices_are_told_apart_when_a_meter_has_had_several(tmp_path: Path) -> None:
    records = [Record(CHANGE_DAY_MS, 1, 5), Record(CHANGE_DAY_MS + 1, 2, 6)]
    names = {1: "ecms_udp/5c:cf:7f:01:02:03", 2: "tasmota/plug,2"}
    span = CHANGE_DAY_MS, CHANGE_DAY_MS + HOUR_MS
    path = tmp_path / "export.csv"
    write_csv(raw_lines(lambda _a, _b: columns_of(records), *span, ROME, utc=True, devices=names), path)
    batches = list(CsvImport(preview(path, Options())).batches({"": "copy"}, Report(ROME)))
    assert [(batch.series, batch.device) for batch in batches] == [
        ("", "ecms_udp/5c:cf:7f:01:02:03"),
        ("", "tasmota/plug_2"),
    ]


def test_times_are_local_or_utc_as_asked() -> None:
    span = CHANGE_DAY_MS, CHANGE_DAY_MS + 1
    records = columns_of([Record(CHANGE_DAY_MS, 1, 1500)])
    _, local = raw_lines(lambda _a, _b: records, *span, ROME, utc=False)
    _, utc = raw_lines(lambda _a, _b: records, *span, ROME, utc=True)
    assert local == "2020-10-25T00:00:00.000+02:00,1603576800000,1.5,,,,,,"
    assert utc.startswith("2020-10-24T22:00:00.000+00:00,")


def constant_kilowatt(asked: Sequence[int]) -> list[Bucket]:
    return [Bucket(a, b, (b - a) * 1_000_000 // HOUR_MS, b - a, 1_000_000, 1_000_000) for a, b in pairwise(asked)]


def test_a_day_of_25_hours_has_25_buckets_and_its_own_energy() -> None:
    span = CHANGE_DAY_MS, CHANGE_DAY_MS + 25 * HOUR_MS
    heading, *hours = bucket_lines(constant_kilowatt, *span, ROME, "1h", utc=False)
    _, day = bucket_lines(constant_kilowatt, *span, ROME, "day", utc=False)
    assert heading == "start,end,energy_wh,coverage,measured_s,min_w,max_w"
    assert len(hours) == 25
    assert hours[2].startswith("2020-10-25T02:00:00.000+02:00,2020-10-25T02:00:00.000+01:00,1000,1,3600,1000,1000")
    assert day == "2020-10-25T00:00:00.000+02:00,2020-10-26T00:00:00.000+01:00,25000,1,90000,1000,1000"


def test_a_period_is_read_a_local_day_at_a_time() -> None:
    days = list(local_days(CHANGE_DAY_MS - HOUR_MS, CHANGE_DAY_MS + 26 * HOUR_MS, ROME))
    assert [(b - a) // HOUR_MS for a, b in days] == [1, 25, 1]
    assert edges(0, 2500, 1000) == [0, 1000, 2000, 2500]


def test_an_export_that_fails_leaves_neither_half_a_file_nor_a_changed_one(tmp_path: Path) -> None:
    target = tmp_path / "export.csv"
    target.write_text("what was there\n")

    def failing() -> object:
        yield "time"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_csv(failing(), target)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"]
    assert target.read_text() == "what was there\n"


def test_without_a_target_the_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_csv(iter(["a", "b"]), None) == 2
    assert capsys.readouterr().out == "a\nb\n"


@given(st.integers(-(10**18), 10**18), st.sampled_from([0, 3, 4]))
def test_decimals_are_exact(value: int, decimals: int) -> None:
    text = decimal(value, decimals)
    whole, _, rest = text.lstrip("-").partition(".")
    again = int(whole) * 10**decimals + int((rest or "0").ljust(decimals, "0")[:decimals] or "0")
    assert (-again if text.startswith("-") else again) == value


def test_parquet_holds_the_same_records_with_absent_values_as_null(tmp_path: Path) -> None:
    records = [
        Record(CHANGE_DAY_MS, 1, 1500, None, 230_000, 6_521, 9_999, 10**12 + 1, 2**63 - 1),
        Record(CHANGE_DAY_MS + 26 * HOUR_MS, 1, None, 123_456_789, None, None, None, None, None),
    ]
    target = tmp_path / "export.parquet"
    span = CHANGE_DAY_MS, CHANGE_DAY_MS + 48 * HOUR_MS
    count = parquet_export.write_raw(lambda a, b: columns_of(records).between(a, b), *span, ROME, target)
    table = parquet.read_table(target)
    assert count == table.num_rows == 2
    assert table.column("power_w").to_pylist() == [1.5, None]
    assert table.column("register_wh").to_pylist() == [None, 123_456.789]
    assert table.column("boot_id").to_pylist() == [2**63 - 1, None]
    assert [round(stamp.timestamp() * 1000) for stamp in table.column("time").to_pylist()] == [
        record.time_ms for record in records
    ]
    assert parquet.ParquetFile(target).num_row_groups == 2


def test_parquet_of_buckets_has_energy_and_coverage(tmp_path: Path) -> None:
    target = tmp_path / "hours.parquet"
    span = CHANGE_DAY_MS, CHANGE_DAY_MS + 25 * HOUR_MS
    assert parquet_export.write_buckets(constant_kilowatt, *span, ROME, "1h", target) == 25
    table = parquet.read_table(target)
    assert table.column("energy_wh").to_pylist() == [1000.0] * 25
    assert table.column("coverage").to_pylist() == [1.0] * 25


def test_without_pyarrow_the_error_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(parquet_export.MissingExtraError, match=r"casawatt\[parquet\]"):
        parquet_export.write_raw(lambda _a, _b: columns_of([]), 0, 1, ROME, tmp_path / "x.parquet")
