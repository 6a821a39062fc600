"""Talks to the service that runs on a data folder, when one does."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from casawatt.model.errors import CasawattError
from casawatt.store.lock import holder

TIMEOUT_S = 30.0


def asked(path: str, **parameters: str | None) -> str:
    """Return an address with the parameters that are given."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"/api/v1/{path}?{query}" if query else f"/api/v1/{path}"


class ServiceError(CasawattError):
    """The running service refused or did not answer; the text says what it said.

    `parameter` names the part of the request that it found at fault, None when none was.
    """

    def __init__(self, detail: str, parameter: str | None = None) -> None:
        super().__init__(detail)
        self.parameter = parameter


class Client:
    """A running service, by the address that it wrote into its lock."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON at `path`; raises ServiceError."""
        return json.loads(self._ask("GET", path, None))

    def text(self, path: str) -> str:
        """Return the text at `path`; raises ServiceError."""
        return self._ask("GET", path, None).decode()

    def post(self, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        """Send `body` as JSON and return the answer's; raises ServiceError."""
        return json.loads(self._ask("POST", path, body))

    def _ask(self, method: str, path: str, body: object) -> bytes:
        connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, HTTPException) as error:
            message = f"the service at {self.url} does not answer: {error}"
            raise ServiceError(message) from error
        finally:
            connection.close()
        if response.status >= 400 and path != "/healthz":
            raise self._refusal(path, response, answer)
        return answer

    def _refusal(self, path: str, response: HTTPResponse, answer: bytes) -> ServiceError:
        problem = problem_of(answer)
        detail = problem.get("detail") or f"{self.url}{path}: {response.status} {response.reason}"
        return ServiceError(detail, problem.get("parameter"))

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of a stream of server-sent events until it ends; raises ServiceError."""
        connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path, headers={"Accept": "text/event-stream"})
            response = connection.getresponse()
            if response.status >= 400:
                raise self._refusal(path, response, response.read())
            kind, data = "message", ""
            for raw in response:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    yield kind, json.loads(data)
                    kind, data = "message", ""
        except (OSError, HTTPException, ValueError) as error:
            message = f"the service at {self.url} went away: {error}"
            raise ServiceError(message) from error
        finally:
            connection.close()


def problem_of(answer: bytes) -> dict[str, Any]:
    """Return a problem document, an empty one when the answer is none."""
    try:
        document = json.loads(answer)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def running(folder: Path) -> Client | None:
    """Return the service that runs on the data folder, None when none does."""
    found = holder(folder)
    return Client(found.url) if found and found.url else None
