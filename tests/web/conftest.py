"""A served home for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.web.homes import TestHome, serving


@pytest.fixture
def home(tmp_path: Path) -> Iterator[TestHome]:
    home = TestHome(tmp_path / "data")
    yield home
    home.store.close()


@pytest_asyncio.fixture
async def client(home: TestHome) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(home) as client:
        yield client
