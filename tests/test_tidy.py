"""The rules of the house that no other tool checks: size, words, what may import and call what."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "casawatt"
TESTS = ROOT / "tests"

SOURCE_LINES_MAX = 300
TEST_LINES_MAX = 500
FUNCTION_LINES_MAX = 60

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|(?i:placeholder(?!=)|lorem ipsum|coming soon))\b")
"""Words of what is not finished. Svelte's attribute `placeholder=` is none."""

CLOCKS = {"now", "today", "utcnow", "now_ms", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime"}
"""Calls that ask what time it is."""

SOURCES_MAY_IMPORT = (r"casawatt\.model", r"casawatt\.transports", r"casawatt\.recordings")
"""Beside files of their own family, whose names begin with the same word, as `ecms_udp` and `ecms_wire` do."""


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def written_files() -> list[Path]:
    """Return everything that people write and read, in all languages, but not this file with its list of words."""
    kinds = ("*.py", "*.md", "*.toml", "*.ts", "*.svelte", "*.css", "*.html")
    folders = [
        ROOT / name for name in ("src", "tests", "ui", "docs", "benchmarks", "scripts") if (ROOT / name).is_dir()
    ]
    found = {path for folder in folders for kind in kinds for path in folder.rglob(kind)} | set(ROOT.glob("*.*"))
    made = {"node_modules", "pages", "__pycache__"}
    return sorted(path for path in found if path.is_file() and path != Path(__file__) and not made & set(path.parts))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield the last name and the node of each call, e.g. `sleep` for `asyncio.sleep(1)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node


def imports(path: Path) -> set[str]:
    """Return the dotted names of all that a file imports; `from a import b` gives `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def source_files() -> list[Path]:
    """Return the files in `sources/` that are a source, which is to say have a `run`."""

    def has_run(path: Path) -> bool:
        body = ast.parse(path.read_text()).body
        return any(isinstance(node, ast.AsyncFunctionDef) and node.name == "run" for node in body)

    return [path for path in python_files(SRC / "sources") if has_run(path)]


def test_files_are_short_enough_to_read_in_one_sitting() -> None:
    limits = [(SRC, SOURCE_LINES_MAX), (ROOT / "benchmarks", SOURCE_LINES_MAX), (TESTS, TEST_LINES_MAX)]
    lengths = [
        (path, len(path.read_text().splitlines()), limit) for folder, limit in limits for path in python_files(folder)
    ]
    assert [f"{named(path)}: {lines} lines" for path, lines, limit in lengths if lines > limit] == []


def test_functions_are_short_enough_to_see_at_once() -> None:
    long = []
    for path in [*python_files(SRC), *python_files(TESTS)]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{named(path)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


def test_nothing_is_left_unfinished() -> None:
    lines = [
        (f"{named(path)}:{number}", line)
        for path in written_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
    ]
    assert [f"{place}: {line.strip()}" for place, line in lines if UNFINISHED.search(line)] == []


def test_tests_wait_for_events_not_for_time() -> None:
    waiting = []
    for path in python_files(TESTS):
        for name, call in calls(ast.parse(path.read_text())):
            gives_way = len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
            if name == "sleep" and not gives_way:
                waiting.append(f"{named(path)}:{call.lineno}")
    assert waiting == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    refused = {"skip", "skipif", "xfail", "importorskip"}
    found = []
    for path in python_files(TESTS):
        marks = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
        found += [
            f"{named(path)}:{node.lineno} {node.attr}"
            for node in marks
            if node.attr in refused and "pytest" in ast.unparse(node.value)
        ]
    assert found == []


@pytest.mark.parametrize("layer", ["model", "engine"])
def test_values_and_arithmetic_never_ask_the_time_nor_open_a_file(layer: str) -> None:
    refused = CLOCKS | {"open", "print", "input", "read_text", "write_text", "read_bytes", "write_bytes"}
    found = []
    for path in python_files(SRC / layer):
        found += [
            f"{named(path)}:{call.lineno} {name}()"
            for name, call in calls(ast.parse(path.read_text()))
            if name in refused
        ]
    assert found == []


@pytest.mark.parametrize("layer", ["sources", "sinks"])
def test_sources_and_sinks_know_neither_each_other_nor_what_becomes_of_readings(layer: str) -> None:
    strangers = []
    for path in python_files(SRC / layer):
        family = path.stem.split("_")[0]
        allowed = re.compile(rf"casawatt\.{layer}\.{family}(_|\.|$)|({'|'.join(SOURCES_MAY_IMPORT)})\.|(?!casawatt)")
        strangers += [f"{named(path)}: {name}" for name in sorted(imports(path)) if not allowed.match(name)]
    assert strangers == []


@pytest.mark.parametrize("path", source_files(), ids=lambda path: path.stem)
def test_every_source_has_options_a_page_and_captures(path: Path) -> None:
    classes = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)}
    assert "Config" in classes, f"{named(path)} has no class Config"
    assert (ROOT / "docs" / "devices" / f"{path.stem}.md").is_file(), f"docs/devices/{path.stem}.md is missing"
    hears_devices = any(name.startswith("casawatt.transports") for name in imports(path))
    captures = TESTS / "captures" / path.stem
    if hears_devices:
        assert captures.is_dir(), f"{named(captures)} is missing: show what the device really says"
        assert [path for path in captures.iterdir() if path.name != "README.md"], f"{named(captures)} is empty"


def test_every_exception_from_a_check_says_why() -> None:
    exceptions = {SRC: re.compile(r"#\s*(noqa|type: ignore)"), TESTS: re.compile(r"#\s*noqa")}
    with_reason = re.compile(r"#\s*(noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[a-z, -]+\])\s*[#(-]\s*\w+")
    silent = []
    for folder, exception in exceptions.items():
        for path in set(python_files(folder)) - {Path(__file__)}:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if exception.search(line) and not with_reason.search(line):
                    silent.append(f"{named(path)}:{number}: {line.strip()}")
    assert sorted(silent) == []


def test_every_rule_that_is_off_says_why_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    lint = tomllib.loads(text)["tool"]["ruff"]["lint"]
    off = {*lint["ignore"], *(code for codes in lint["per-file-ignores"].values() for code in codes)}
    assert lint["select"] == ["ALL"]
    lines = [line for line in text.splitlines() if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert {line.split('"')[1] for line in lines} == off
    assert [line for line in lines if not re.search(r'",\s+# \w+', line)] == []


def test_lock_files_name_no_server() -> None:
    named_servers = []
    for name in ("requirements.txt", "requirements-dev.txt", "ui/package-lock.json"):
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            if re.search(r'"resolved"|--(extra-)?index-url|--find-links|@ (https?|file):', line):
                named_servers.append(f"{name}:{number}: {line.strip()}")
    assert named_servers == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_its_hashes(name: str) -> None:
    packages = re.split(r"\n(?=\S)", (ROOT / name).read_text())
    locked = [package for package in packages if not package.startswith("#")]
    assert [package.splitlines()[0] for package in locked if "--hash=sha256:" not in package] == []
