"""HTTP to devices on the local network: every wait has a limit, and so has every answer's size."""

from base64 import b64encode

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from casawatt.model.errors import PacketError

CONNECT_TIMEOUT_S = 5.0
"""A device on the local network answers in milliseconds, or is not there."""
ANSWER_TIMEOUT_S = 10.0
"""A small device that is busy may take seconds; longer than this it has hung."""
ANSWER_BYTES_MAX = 256 << 10
"""No device has more to say; what is longer comes from something else."""
OK = 200
UNAUTHORIZED = 401


def client() -> ClientSession:
    """Return a client whose every wait is limited, to be entered; it keeps no cookies and asks no proxy."""
    timeout = ClientTimeout(total=ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    return ClientSession(timeout=timeout, cookie_jar=DummyCookieJar())


async def get_json(session: ClientSession, url: str, login: tuple[str, str] | None = None) -> dict[str, object]:
    """Return the JSON object at `url`; `login` is a user and a password for HTTP basic authentication.

    Raises ConnectionError when there is no answer or one that refuses, and PacketError when the answer wants another
    password (cause `password`) or is no JSON object (cause `format`).
    """
    headers = {} if login is None else {"Authorization": f"Basic {b64encode(':'.join(login).encode()).decode()}"}
    try:
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status == UNAUTHORIZED:
                raise PacketError("password", f"{url} wants {'another' if login else 'a'} password")
            if answer.status != OK:
                raise ConnectionError(f"{url} answered with status {answer.status} {answer.reason}")
            body = await answer.content.read(ANSWER_BYTES_MAX + 1)
            while len(body) <= ANSWER_BYTES_MAX and (more := await answer.content.read(ANSWER_BYTES_MAX)):
                body += more
    except TimeoutError as error:
        raise ConnectionError(f"{url} did not answer within {ANSWER_TIMEOUT_S:g} s") from error
    except ClientError as error:
        raise ConnectionError(f"{url}: {str(error) or type(error).__name__}") from error
    if len(body) > ANSWER_BYTES_MAX:
        raise PacketError("format", f"{url} answered with more than {ANSWER_BYTES_MAX} bytes")
    return json_object(body, url)


def json_object(text: bytes | str, sender: str) -> dict[str, object]:
    """Return the JSON object that `text` is; raises PacketError (cause `format`), which names `sender`, otherwise."""
    try:
        document = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:
        raise PacketError("format", f"{sender} sent no JSON but {text[:60]!r}: {error}") from error
    if not isinstance(document, dict):
        raise PacketError("format", f"{sender} sent no JSON object but {text[:60]!r}")
    return document
