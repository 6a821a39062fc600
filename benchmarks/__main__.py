"""`python -m benchmarks [subject ...] [--quick] [--data DIR] [--json FILE]`."""

import argparse
import importlib
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import report
from benchmarks.machine import machine
from benchmarks.outcome import Context, Section
from benchmarks.readings import load

SUBJECTS = ("append", "size", "queries", "path", "mqtt", "writes", "load", "pixel", "kill", "runs", "breaker", "year")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def measure(subject: str, context: Context) -> Section:
    """Return what one subject measured; one that fails says so and does not stop the others."""
    start_s = time.monotonic()
    print(f"{subject} ...", flush=True)
    try:
        section: Section = importlib.import_module(f"benchmarks.{subject}").run(context)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is said, and counts as a failure)
        traceback.print_exc()
        section = Section(subject, subject, missing=[f"it failed: {type(error).__name__}: {error}"])
    for figure in section.figures:
        print(f"  {figure.verdict or '-':5} {figure.what}: {report.shown(figure.value)} {figure.unit}", flush=True)
    for missing in section.missing:
        print(f"  not measured: {missing}", flush=True)
    print(f"  took {time.monotonic() - start_s:.0f} s", flush=True)
    return section


def main(arguments: Sequence[str]) -> int:
    """Run subjects and write what they say; returns 1 when one could not be measured."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure what docs/benchmarks.md reports."
    )
    parser.add_argument("subject", nargs="*", help=f"one or more of {', '.join(SUBJECTS)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="about two minutes; the figures are rough")
    parser.add_argument("--data", type=Path, help="a folder with tracebase/; without it the shipped excerpts are used")
    parser.add_argument("--json", type=Path, help="write the results here as JSON too")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="where to write while measuring")
    parser.add_argument("--scale", type=float, default=1.0, help=argparse.SUPPRESS)
    parser.add_argument("--page", type=Path, help="the page to write the results into, if all subjects ran in full")
    asked = parser.parse_args(arguments)
    unknown = set(asked.subject) - set(SUBJECTS)
    if unknown:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}; there are: {', '.join(SUBJECTS)}")
    scale = 0.1 if asked.quick else asked.scale
    data = load(asked.data)
    context = Context(scale, data, asked.work, lambda text: print(text, flush=True))
    facts = machine(asked.work)
    sections = [measure(subject, context) for subject in asked.subject or SUBJECTS]
    command = shlex.join(["python", "-m", "benchmarks", *arguments])
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    said = {"command": command, "when": when, "origin": data.origin}
    if asked.json:
        asked.json.write_bytes(report.as_json(sections, facts, **said))
    page = asked.page or (PAGE if not asked.subject and scale >= 1 else None)
    if page:
        report.write_into(page, report.markdown(sections, facts, **said))
        print(f"written to {page}")
    return int(any(section.missing for section in sections))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
