"""The built pages."""

from pathlib import Path

import httpx
import pytest

from tests.web.homes import TestHome, serving


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>casawatt</title>")
    (tmp_path / "assets/index-4f2a.js").write_text("console.log(1)")
    (tmp_path / "app.webmanifest").write_text("{}")
    (tmp_path / "icon.svg").write_text("<svg/>")
    return tmp_path


async def test_the_page_is_asked_for_anew_but_sent_only_when_it_changed(home: TestHome, built: Path) -> None:
    async with serving(home, built) as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        again = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.get("/", headers={"If-None-Match": '"old"'})).text == page.text


async def test_hashed_files_are_kept_for_good(home: TestHome, built: Path) -> None:
    async with serving(home, built) as client:
        script = await client.get("/assets/index-4f2a.js")
    assert script.text == "console.log(1)"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "media_type"), [("/app.webmanifest", "application/manifest+json"), ("/icon.svg", "image/svg+xml")]
)
async def test_each_file_says_what_it_is(home: TestHome, built: Path, path: str, media_type: str) -> None:
    async with serving(home, built) as client:
        assert (await client.get(path)).headers["content-type"] == media_type


async def test_head_tells_of_the_page_without_sending_it(home: TestHome, built: Path) -> None:
    async with serving(home, built) as client:
        response = await client.head("/")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/assets/", "/api/v2/meters"])
async def test_nothing_but_built_files_is_served(home: TestHome, built: Path, path: str) -> None:
    async with serving(home, built) as client:
        response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


async def test_without_built_pages_a_text_says_where_the_figures_are(client: httpx.AsyncClient) -> None:
    response = await client.get("/")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "/api/v1/meters" in response.text
