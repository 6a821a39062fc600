"""What stands before the API: who may ask by which name, and the headers of every answer.

A page from elsewhere, open in the browser of somebody at home, must not be able to read or change anything here.
It cannot read across origins; but it could let its own name point to this address (DNS rebinding) or post a form
blindly. So the name in the request must be one of ours, and what changes something must come from our own pages.
"""

import ipaddress
import socket
from collections.abc import Iterable
from http import HTTPStatus

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from casawatt.model.errors import ConfigError
from casawatt.web.problem import PROBLEM_JSON, ProblemError, encode, problem_of

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CSP = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def check_binding(host: str, allow_open_access: bool) -> None:  # noqa: FBT001 - the two belong together
    """Raise ConfigError if serving at `host` would open the home to the network without that being wanted."""
    if allow_open_access or is_loopback(host):
        return
    message = (
        f"[web] host = {host!r} would let everybody on the network see and change this home, as there are no "
        "passwords. Use host = '127.0.0.1', or start with --allow-open-access if that is what you want"
    )
    raise ConfigError(message)


def is_loopback(name: str) -> bool:
    """Return whether a host name or address surely means this machine."""
    name = name.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = as_address(name)
    return address is not None and address.is_loopback


def as_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a host name spells out, None when it is a name."""
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def own_names(host: str) -> frozenset[str]:
    """Return the names by which this machine is called when it serves at `host`: none but loopback's for loopback."""
    if is_loopback(host):
        return frozenset()
    machine = socket.gethostname().lower()
    return frozenset({host.lower(), machine, f"{machine}.local", socket.getfqdn().lower()})


class Guard:
    """An ASGI application around another: refuses what must not get in, adds headers to what goes out.

    `host` is where the server listens; `names` are further names by which it is reached, such as a proxy's.
    """

    def __init__(self, app: ASGIApp, host: str, names: Iterable[str] = ()) -> None:
        self._app = app
        self._open = not is_loopback(host)
        self._names = own_names(host) | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS, *self._caching(message["headers"])]
            await send(message)

        try:
            self.check(scope["method"], dict(scope["headers"]))
        except ProblemError as error:
            await refuse(error, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def check(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Raise ProblemError for a request by another's name, or a change that a foreign page asks for."""
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self.is_ours(without_port(host)):
            detail = (
                f"this service does not go by the name {host!r}; use http://127.0.0.1 and its port, or its own name"
            )
            raise ProblemError(HTTPStatus.MISDIRECTED_REQUEST, detail, "Host")
        if method in SAFE_METHODS:
            return
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if origin and origin.partition("://")[2] != host:
            detail = f"a page of {origin} must not change anything here"
            raise ProblemError(HTTPStatus.FORBIDDEN, detail, "Origin")

    def is_ours(self, name: str) -> bool:
        """Return whether the service may be asked by that name. An address cannot be rebound, a name can."""
        if is_loopback(name) or name in self._names:
            return True
        return self._open and as_address(name) is not None

    @staticmethod
    def _caching(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        said = any(name.lower() == b"cache-control" for name, _ in headers)
        return [] if said else [(b"cache-control", b"no-store")]


def without_port(host: str) -> str:
    """Return the name in a Host header: `[::1]:8480` gives `[::1]`."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def refuse(error: ProblemError, send: Send) -> None:
    """Send a problem document instead of what was asked for."""
    body = encode(problem_of(error))
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": error.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
