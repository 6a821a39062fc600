"""What can be set, typed or counted is documented, and what the docs name exists.

That every address of the API is documented is proved in `tests/web/test_openapi.py`.
"""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import msgspec
import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from casawatt import config, config_sections
from casawatt.app_sources import source_names
from casawatt.cli import app
from casawatt.model import supply, tariff

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SRC = ROOT / "src" / "casawatt"

PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "tests" / "captures").rglob("*.md")})
CONFIG_PAGE = (DOCS / "config.md").read_text()
COMMANDS_PAGE = (DOCS / "commands.md").read_text()
CODE_PAGES = [DOCS / "architecture.md", ROOT / "CONTRIBUTING.md", ROOT / "README.md"]

PROGRAM = get_command(app)
assert isinstance(PROGRAM, TyperGroup)
Command = TyperCommand | TyperGroup
HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$")


def lines_outside_code(text: str) -> list[str]:
    """Return the lines that are not in a fenced block of code."""
    lines, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines.append(line)
    return lines


def section(text: str, title: str) -> str:
    """Return what stands under the heading `title`, up to the next of any level; empty when there is none."""
    found, inside = [], False
    for line in lines_outside_code(text):
        if heading := HEADING.match(line):
            inside = heading[2] == title
        elif inside:
            found.append(line)
    return "\n".join(found)


def documented_options(text: str) -> set[str]:
    """Return the first cells of the tables whose first column is called `option`."""
    options, inside = set(), False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|"):
            inside = False
        elif cells[0] == "option":
            inside = True
        elif inside and not set(cells[0]) <= set("-: "):
            options.add(cells[0].strip("`"))
    return options


def options_of(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def sections_of_the_config() -> dict[str, type[msgspec.Struct]]:
    """Return the class of each section, by its heading: those whose docstring begins with `[section]`."""
    sections: dict[str, type[msgspec.Struct]] = {}
    for module in (config_sections, supply, tariff):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__:
                title = re.match(r"`\[.+?\]+`", value.__doc__ or "")
                sections |= {title[0]: value} if title else {}
    return sections


def commands(group: TyperGroup, name: str = "casawatt") -> Iterator[tuple[str, Command]]:
    """Yield each command with its full name, groups among them."""
    for word, command in group.commands.items():
        assert isinstance(command, Command)
        yield f"{name} {word}", command
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{name} {word}")


COMMANDS = dict(commands(PROGRAM))


def flags(command: Command) -> set[str]:
    """Return the long options of a command, as `--name`; of a pair of yes and no the one that changes something."""
    return {parameter.opts[-1] for parameter in command.params if parameter.param_type_name == "option"} - {"--help"}


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    found: set[str] = set()
    for line in lines_outside_code(path.read_text()):
        if heading := HEADING.match(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[2])
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            repeats = sum(known == anchor or known.startswith(f"{anchor}-") for known in found)
            found.add(f"{anchor}-{repeats}" if anchor in found else anchor)
    return found


def typed_commands(text: str) -> set[tuple[str, str]]:
    """Return what a page says to type: the words after `casawatt` that may name a command, and the rest of it.

    Looked for in the page's code: between backticks, in fenced blocks and in indented lines.
    """
    blocks = [line for line in text.splitlines() if line not in lines_outside_code(text) or line.startswith("    ")]
    spans = re.findall(r"`([^`]+)`", "\n".join(lines_outside_code(text)))
    command = re.compile(r"(?:^|/|&& )(casawatt(?: [a-z][a-z-]*)+)(?![\w./-])(.*)", re.DOTALL)
    return {(match[1], match[2]) for code in [*blocks, *spans] if (match := command.search(code.strip()))}


def test_every_section_of_the_config_has_its_own_heading() -> None:
    titles = {re.sub(r"[^a-z]", "", re.split(r"[.<\]]", title)[0]) for title in sections_of_the_config()}
    assert titles | {"source", "alternative"} == set(config.SECTIONS)


@pytest.mark.parametrize("title", sections_of_the_config())
def test_every_option_of_the_config_is_documented_and_no_other(title: str) -> None:
    assert documented_options(section(CONFIG_PAGE, title)) == options_of(sections_of_the_config()[title])


@pytest.mark.parametrize("name", source_names())
def test_every_option_of_a_source_is_on_its_page_and_the_page_is_found(name: str) -> None:
    options = options_of(importlib.import_module(f"casawatt.sources.{name}").Config)
    assert documented_options((DOCS / "devices" / f"{name}.md").read_text()) == options
    assert f"devices/{name}.md" in CONFIG_PAGE
    assert f"docs/devices/{name}.md" in (ROOT / "README.md").read_text()


def test_the_readme_lists_the_devices_that_the_pages_say_are_supported() -> None:
    done = subprocess.run([sys.executable, "scripts/supported_devices.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_every_metric_is_documented() -> None:
    page = (DOCS / "api.md").read_text()
    named = set()
    for path in SRC.rglob("*.py"):
        texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
        named |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"casawatt_[a-z_]*[a-z]", text)}
    assert named
    assert sorted(name for name in named if f"`{name}`" not in page) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_of_it_is_documented(name: str) -> None:
    text = section(COMMANDS_PAGE, f"`{name}`")
    assert text, f"docs/commands.md has no heading `{name}`"
    common = documented_options(section(COMMANDS_PAGE, "Commands"))
    known = {option.split()[0] for option in common} | set(re.findall(r"--[a-z-]+", text))
    assert sorted(flags(COMMANDS[name]) - known) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_says_to_type_exists(page: Path) -> None:
    wrong = []
    for words, rest in sorted(typed_commands(page.read_text())):
        first, second = " ".join(words.split()[:2]), " ".join(words.split()[:3])
        command = COMMANDS.get(second) or COMMANDS.get(first)
        unknown = set(re.findall(r"--[a-z][a-z-]*", rest)) - (flags(command) if command else set()) - {"--help"}
        if command is None or unknown:
            wrong.append(f"{words}{rest}")
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", "\n".join(lines_outside_code(page.read_text()))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    listed = (DOCS / "adr" / "README.md").read_text()
    pages = [page.name for page in (DOCS / "adr").glob("[0-9]*.md") if not page.name.startswith("0000")]
    assert sorted(page for page in pages if f"]({page})" not in listed) == []


@pytest.mark.parametrize("page", CODE_PAGES, ids=lambda page: page.name)
def test_every_file_and_name_of_code_that_a_page_mentions_exists(page: Path) -> None:
    mentioned = re.findall(r"`((?:[\w-]+/)*[\w-]+\.py)(?::([\w.]+))?`", page.read_text())
    wrong = [f"{file}:{name}" for file, name in sorted(set(mentioned)) if not exists_in_code(file, name)]
    assert wrong == []


def exists_in_code(file: str, name: str) -> bool:
    """Return whether a file is in the package or the project and, if one is given, has the dotted name."""
    if not name:
        return (SRC / file).is_file() or (ROOT / file).is_file()
    if not (SRC / file).is_file():
        return False
    module = importlib.import_module("casawatt." + file.removesuffix(".py").replace("/", "."))
    try:
        reduce(getattr, name.split("."), module)
    except AttributeError:
        return False
    return True


def test_every_event_is_documented() -> None:
    named = {
        str(node.value)
        for path in SRC.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch(r"casawatt(\.[a-z]+){2}", str(node.value))
    }
    events = {name for name in named if not (SRC / Path(*name.split(".")[1:2])).exists()}
    assert events == set(re.findall(r"^\| `(casawatt\.[a-z.]+)`", (DOCS / "events.md").read_text(), re.MULTILINE))
    assert events
