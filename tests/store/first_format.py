"""The shape of a file of the first format, as the first version wrote it."""

SCHEMA = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE meters (
    meter_id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    appliance TEXT,
    parent TEXT
);

CREATE TABLE devices (
    device_id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    address TEXT NOT NULL,
    UNIQUE (source, address)
);

CREATE TABLE bindings (
    binding_id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters,
    device_id INTEGER NOT NULL REFERENCES devices,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER,
    retracted_ms INTEGER
);

CREATE TABLE calibrations (
    calibration_id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters,
    from_ms INTEGER NOT NULL,
    nominal_voltage_mv INTEGER NOT NULL,
    power_factor_e4 INTEGER NOT NULL,
    cadence TEXT NOT NULL,
    gap_limit_ms INTEGER NOT NULL,
    retracted_ms INTEGER
);

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE followers (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

-- A meter's readings of six UTC hours. newest_seq is the highest sequence number among them.
CREATE TABLE segments (
    segment_id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    newest_seq INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (meter_id, start_ms)
);
CREATE INDEX segments_newest_seq ON segments (newest_seq);

-- A meter's quarter-hours of one UTC day, packed.
CREATE TABLE intervals (
    meter_id INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (meter_id, start_ms)
) WITHOUT ROWID;

-- A meter's local days of one local month, packed; made from intervals. month = year * 12 + month - 1.
CREATE TABLE days (
    meter_id INTEGER NOT NULL,
    month INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (meter_id, month)
) WITHOUT ROWID;

-- A meter's local months of one local year, packed; made from days.
CREATE TABLE months (
    meter_id INTEGER NOT NULL,
    year INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (meter_id, year)
) WITHOUT ROWID;

-- Up to which sequence number a meter's readings are sealed, and the engine's state at that point.
CREATE TABLE sealed (
    meter_id INTEGER PRIMARY KEY,
    sealed_seq INTEGER NOT NULL,
    state BLOB NOT NULL
);

-- The engine's state just before the first reading at or after a six-hour boundary.
CREATE TABLE snapshots (
    meter_id INTEGER NOT NULL,
    boundary_ms INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (meter_id, boundary_ms)
) WITHOUT ROWID;
"""
