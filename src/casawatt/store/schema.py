"""The shape of `casawatt.db`, as numbered migrations."""

import sqlite3
import uuid
from pathlib import Path

from casawatt.model.errors import StoreError

DATABASE_NAME = "casawatt.db"

FIRST = """
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

SECOND = """
ALTER TABLE calibrations ADD COLUMN limit_mw INTEGER;
ALTER TABLE calibrations ADD COLUMN falls_back INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calibrations ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0;
UPDATE calibrations SET made_ms = from_ms;

-- Decisions are no longer changed by later ones: which binding holds follows from all that stand.
ALTER TABLE bindings ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bindings ADD COLUMN cadence TEXT;
ALTER TABLE bindings ADD COLUMN gap_limit_ms INTEGER;
ALTER TABLE bindings ADD COLUMN limit_mw INTEGER;
ALTER TABLE bindings ADD COLUMN falls_back INTEGER NOT NULL DEFAULT 0;
UPDATE bindings SET made_ms = from_ms;

CREATE TABLE corrections (
    correction_id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters,
    action TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    note TEXT,
    retracted_ms INTEGER
);

-- Spans of which the sealed figures are not yet what the readings say since something was decided about them.
CREATE TABLE touched (
    touched_id INTEGER PRIMARY KEY AUTOINCREMENT,
    meter_id INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL
);

-- What of a meter's readings was set aside; derived from them, and sealed with them.
CREATE TABLE suspects (
    meter_id INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    cause TEXT NOT NULL,
    said INTEGER NOT NULL,
    energy_mwh INTEGER NOT NULL,
    PRIMARY KEY (meter_id, time_ms, cause)
) WITHOUT ROWID;
"""

THIRD = """
-- What a meter was used for, as far as it was found; derived from its readings. data: model.run.Run as JSON.
CREATE TABLE runs (
    meter_id INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER,
    data TEXT NOT NULL,
    PRIMARY KEY (meter_id, start_ms)
) WITHOUT ROWID;

-- The state of what finds runs, up to which sealed_seq says; NULL: its runs are to be found anew.
ALTER TABLE sealed ADD COLUMN run_state BLOB;

-- The same just before the first reading at or after a boundary.
CREATE TABLE run_states (
    meter_id INTEGER NOT NULL,
    boundary_ms INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (meter_id, boundary_ms)
) WITHOUT ROWID;

-- Names that people gave to groups of like runs.
CREATE TABLE programmes (
    programme_id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    retracted_ms INTEGER
);

-- What electricity costs, from a local day on. data: the tariff as JSON. Nothing here is ever changed but retracted_ms.
CREATE TABLE tariffs (
    tariff_id INTEGER PRIMARY KEY,
    from_date TEXT NOT NULL,
    data TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    retracted_ms INTEGER
);

-- The price per kWh of each clock quarter-hour, the first that was told of it.
CREATE TABLE prices (
    series TEXT NOT NULL, start_ms INTEGER NOT NULL, rate_per_kwh TEXT NOT NULL, made_ms INTEGER NOT NULL,
    PRIMARY KEY (series, start_ms)
) WITHOUT ROWID;

-- Another price that was told of a quarter-hour when it had passed; it waits for somebody to say that it shall count.
CREATE TABLE prices_waiting (
    series TEXT NOT NULL, start_ms INTEGER NOT NULL, rate_per_kwh TEXT NOT NULL, made_ms INTEGER NOT NULL,
    PRIMARY KEY (series, start_ms)
) WITHOUT ROWID;

-- Prices in whose place others were put.
CREATE TABLE prices_replaced (
    series TEXT NOT NULL, start_ms INTEGER NOT NULL, rate_per_kwh TEXT NOT NULL, made_ms INTEGER NOT NULL,
    replaced_ms INTEGER NOT NULL
);

-- Who used a meter during a run, whose span was this when it was said.
CREATE TABLE claims (
    claim_id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    member TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    retracted_ms INTEGER
);

-- Splits that are closed, as they were then. data: model.split.Statement as JSON.
CREATE TABLE ledger (
    start_date TEXT PRIMARY KEY,
    end_date TEXT NOT NULL,
    closed_ms INTEGER NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;

-- Local days that were summed up, as they were told.
CREATE TABLE digests (
    day TEXT PRIMARY KEY,
    made_ms INTEGER NOT NULL,
    data TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX events_type ON events (type, seq);
CREATE INDEX events_time ON events (time_ms);
CREATE INDEX events_subject ON events (subject, seq);
"""

MIGRATIONS = (FIRST, SECOND, THIRD)
"""The n-th of these brings a file of version n to version n + 1."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to the newest version, one transaction a step; a new file gets its home's identity.

    Raises StoreError when a newer casawatt wrote the file.
    """
    version = check_version(connection, path)
    for number in range(version, VERSION):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(MIGRATIONS[number]):
                connection.execute(statement)
            if number == 0:
                connection.execute("INSERT INTO meta VALUES ('home_id', ?)", (str(uuid.uuid4()),))
            connection.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the file (0: empty). Raises StoreError when a newer casawatt wrote it."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        message = (
            f"{path} has format {version}, and this casawatt knows formats up to {VERSION}: "
            "a newer casawatt wrote it. Install that version again, or restore a backup made before the update."
        )
        raise StoreError(message)
    return version


def _statements(script: str) -> list[str]:
    """Return the statements of a script, so that each runs inside the caller's transaction."""
    statements, waiting = [], ""
    for line in script.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            statements.append(waiting)
            waiting = ""
    return statements
