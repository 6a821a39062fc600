"""The built pages, read once at the start."""

import hashlib
import mimetypes
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from litestar import HttpMethod, MediaType, Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler, route

PAGES = Path(__file__).parent / "pages"
"""Where the build puts the pages."""

HASHED = "assets/"
"""Files below this folder carry a hash of their content in their name, so that they never change."""

NOT_BUILT = """casawatt is running, but its pages are not built into this installation.

In a clone of the project `make serve` builds them. The figures are there without them:

    /api/v1/meters         what every meter says now
    /api/v1/openapi.json   the description of the API
    /healthz               how the service is
    /metrics               for Prometheus

In a terminal, `casawatt live` shows the same.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is sent."""

    body: bytes
    media_type: str
    etag: str
    cache_control: str


def load_pages(folder: Path) -> dict[str, Page]:
    """Return every file below `folder` by its path there, as in `assets/index-4f2a.js`; none without a folder."""
    pages = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = file.relative_to(folder).as_posix()
            body = file.read_bytes()
            etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
            lasting = "public, max-age=31536000, immutable" if path.startswith(HASHED) else "no-cache"
            pages[path] = Page(body, media_type_of(file.name), etag, lasting)
    return pages


def media_type_of(name: str) -> str:
    """Return what a file of that name holds."""
    if name.endswith(".webmanifest"):
        return "application/manifest+json"
    if name.endswith((".js", ".mjs")):
        return "text/javascript"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def pages_handler(folder: Path) -> HTTPRouteHandler:
    """Return the handler for `/` and every built file; unknown paths raise NotFoundException."""
    pages = load_pages(folder)

    @route(
        ["/", "/{path:path}"],
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        include_in_schema=False,
        sync_to_thread=False,
    )
    def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        wanted = request.url.path.lstrip("/") or "index.html"
        if wanted == "index.html" and wanted not in pages:
            return Response(NOT_BUILT.encode(), media_type=MediaType.TEXT)
        found = pages.get(wanted)
        if found is None:
            raise NotFoundException
        headers = {"Cache-Control": found.cache_control, "ETag": found.etag}
        if found.etag in request.headers.get("if-none-match", ""):
            return Response(b"", status_code=HTTPStatus.NOT_MODIFIED.value, headers=headers)
        return Response(found.body, media_type=found.media_type, headers=headers)

    return page
