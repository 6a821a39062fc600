"""Public documents fetched over HTTP: every wait has a limit, and so has the size."""

from collections.abc import Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

TIMEOUT_S = 60.0
"""A server that publishes for a continent may be slow; longer than this it has hung."""
CONNECT_TIMEOUT_S = 15.0
BYTES_MAX = 16 << 20
"""No day's prices, nor a year's, are longer."""
HEADERS = {"User-Agent": "casawatt"}


async def download(url: str, query: Mapping[str, str], *, redirects: bool) -> tuple[int, bytes]:
    """Return the status and the body that a GET of `url` with a `query` is answered with.

    `redirects`: go where the server says instead; not for a query that holds a secret. Raises ConnectionError when
    there is no answer, or one that is too long; neither address nor query are in its text.
    """
    timeout = ClientTimeout(total=TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        async with (
            ClientSession(timeout=timeout, cookie_jar=DummyCookieJar(), headers=HEADERS) as session,
            session.get(url, params=query, allow_redirects=redirects, max_redirects=3) as answer,
        ):
            body = b""
            while more := await answer.content.read(1 << 16):
                body += more
                if len(body) > BYTES_MAX:
                    message = f"the answer is longer than {BYTES_MAX} bytes"
                    raise ConnectionError(message)
            return answer.status, body
    except TimeoutError as error:
        message = f"no answer within {TIMEOUT_S:g} s"
        raise ConnectionError(message) from error
    except ClientError as error:
        raise ConnectionError(type(error).__name__) from error
