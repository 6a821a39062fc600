"""Runs commands in this process, as if they had been typed."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from casawatt.cli import run


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Typed = Callable[..., Said]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Return what runs a command with the data and config folders of this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("CASAWATT_CONFIG", raising=False)
    monkeypatch.delenv("CASAWATT_DATA", raising=False)

    def type_it(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["casawatt", *words])
        code = 0
        try:
            run()
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return type_it


@pytest.fixture
def home(typed: Typed) -> Typed:
    """Return the same, for a home that has a config."""
    assert typed("init", "--yes").code == 0
    return typed
