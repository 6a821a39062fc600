"""A served home for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.web.homes import TestHome, serving


@pytest.fixture
def home() -> TestHome:
    return TestHome()


@pytest_asyncio.fixture
async def client(home: TestHome) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(home) as client:
        yield client
