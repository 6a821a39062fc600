"""What the figures were measured on, and with what."""

import os
import platform
import re
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.servers import package_version
from benchmarks.timing import each_s, median

PACKAGES = ("numpy", "pcodec", "msgspec", "litestar", "uvicorn", "paho-mqtt", "aiomqtt")


def machine(work: Path) -> dict[str, str]:
    """Return in words what this machine is, by what it is called."""
    cpu = _first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or platform.machine()
    memory_kb = int(_first(Path("/proc/meminfo"), r"MemTotal:\s+(\d+)") or 0)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    return {
        "processor": f"{cpu}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{memory_kb / 1e6:.0f} GB",
        "disk": f"{_file_system(work)}; a forced write takes {_sync_ms(work):.1f} ms",
        "system": f"Linux {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "libraries": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "peers": ", ".join(
            f"{name} {package_version(package)}"
            for name, package in (
                ("MariaDB", "mariadb-server"),
                ("InfluxDB", "influxdb"),
                ("VictoriaMetrics", "victoria-metrics"),
                ("Mosquitto", "mosquitto"),
                ("Chromium", "chromium"),
            )
        ),
        "casawatt": commit.strip() or "unknown commit",
        "load": f"{os.getloadavg()[0]:.1f} when it began (others' work included)",
    }


def _first(path: Path, pattern: str) -> str | None:
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found[1].strip() if found else None


def _file_system(folder: Path) -> str:
    done = subprocess.run(["df", "--output=fstype,source", str(folder)], capture_output=True, text=True, check=False)
    return " on ".join(done.stdout.splitlines()[-1].split()) if done.returncode == 0 else "unknown"


def _sync_ms(folder: Path) -> float:
    """Return the median time of forcing a page to the disk."""
    path = folder / "casawatt-bench-sync"
    with path.open("wb") as file:

        def once() -> None:
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())

        took = each_s([once] * 21)
    path.unlink()
    return median(took) * 1000


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
