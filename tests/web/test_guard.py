"""What stands before the API."""

import httpx
import pytest

from casawatt.model.errors import ConfigError
from casawatt.web import check_binding
from casawatt.web.guard import Guard, is_loopback, without_port
from casawatt.web.problem import ProblemError
from tests.web.homes import TestHome

ADOPTION = {"slug": "fridge", "name": "Frigo", "source": "ecms_udp", "address": "x"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST.", "casawatt.localhost"])
def test_loopback_may_be_served(host: str) -> None:
    check_binding(host, False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "raspberrypi", "localhost.evil.example", ""])
def test_the_network_is_served_only_when_that_is_wanted(host: str) -> None:
    with pytest.raises(ConfigError, match="--allow-open-access"):
        check_binding(host, False)
    check_binding(host, True)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8480", "127.0.0.1.evil.example", "192.168.1.5", ""])
async def test_a_foreign_name_is_refused(client: httpx.AsyncClient, host: str) -> None:
    response = await client.get("/api/v1/meters", headers={"Host": host})
    assert response.status_code == 421
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["parameter"] == "Host"


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "[::1]:8480", "127.0.0.1"])
async def test_any_name_of_loopback_is_taken(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/api/v1/meters", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_cannot_change_anything(home: TestHome, client: httpx.AsyncClient, origin: str) -> None:
    response = await client.post("/api/v1/meters", json=ADOPTION, headers={"Origin": origin})
    assert (response.status_code, response.json()["parameter"]) == (403, "Origin")
    assert len(home.all) == 2


async def test_our_own_page_can(client: httpx.AsyncClient) -> None:
    origin = str(client.base_url).rstrip("/")
    assert (await client.post("/api/v1/meters", json=ADOPTION, headers={"Origin": origin})).status_code == 201


async def test_every_answer_carries_the_protecting_headers(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/v1/meters", "/nowhere", "/healthz"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


async def nothing(*_: object) -> None:
    """Stand in for an application."""


def test_open_to_the_network_any_address_but_not_any_name_is_ours() -> None:
    guard = Guard(nothing, "0.0.0.0", names=["Home.example"])
    for host in (b"192.168.1.5:8480", b"[fe80::1]:8480", b"localhost", b"home.example"):
        guard.check("GET", {b"host": host})
    with pytest.raises(ProblemError, match="does not go by the name"):
        guard.check("GET", {b"host": b"evil.example"})


def test_the_name_is_found_beside_the_port() -> None:
    assert [without_port(host) for host in ("a:1", "a", "[::1]:8480", "[::1]")] == ["a", "a", "[::1]", "[::1]"]
    assert is_loopback("[::1]")
