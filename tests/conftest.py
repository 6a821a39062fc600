"""What tests of all parts share."""

import os
import socket
from pathlib import Path

import hypothesis
import pytest

ACCEPTANCE = Path(__file__).parent / "acceptance"
BROWSER = Path(__file__).parent / "e2e"

hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, help="folder of real recordings, for tests/acceptance")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the acceptance tests unless the recordings that they replay are named."""
    without_data = config.getoption("--data") is None
    return True if without_data and collection_path == ACCEPTANCE else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests with a browser last: Playwright keeps an event loop running, and no other could run beside it."""
    items.sort(key=lambda item: item.path.is_relative_to(BROWSER))


@pytest.fixture
def shared_data(request: pytest.FixtureRequest) -> Path:
    """Return the folder named by `--data`; only acceptance tests ask for it."""
    folder = request.config.getoption("--data")
    assert isinstance(folder, Path)
    assert folder.is_dir(), f"{folder} is not a folder"
    return folder.resolve()


@pytest.fixture
def free_tcp_port() -> int:
    """Return a TCP port of the loopback that was free a moment ago.

    For programs that must be told their port; what can bind to port 0 should do so and ask which it got.
    """
    return _free_port(socket.SOCK_STREAM)


@pytest.fixture
def free_udp_port() -> int:
    """Return a UDP port of the loopback that was free a moment ago; see `free_tcp_port`."""
    return _free_port(socket.SOCK_DGRAM)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
