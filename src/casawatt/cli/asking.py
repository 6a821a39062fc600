"""Asks the service when one runs, and does the same on the data itself when none does."""

from collections.abc import Callable
from typing import Any

import msgspec

from casawatt.app_home import open_home, ports_of
from casawatt.cli import client
from casawatt.cli.client import Client
from casawatt.cli.places import Place
from casawatt.clock import WallClock
from casawatt.web.ports import Ports


def ask(
    place: Place, online: Callable[[Client], Any], offline: Callable[[Ports], object], *, changing: bool = False
) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON document: what the running service answers, or else what the open home gives.

    `changing`: the data is opened for writing. Raises CasawattError.
    """
    service = client.running(place.folder)
    if service is not None:
        return online(service)
    with open_home(place.config, place.folder, WallClock(), read_only=not changing) as home:
        return msgspec.to_builtins(offline(ports_of(home, demo=place.demo)))
