"""Databases to import from: an address without a password in it, and errors that say what to do.

SQLAlchemy and the drivers are loaded when a database is opened, not before: the service has no use for them.
"""

import importlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from casawatt.model.errors import CasawattError, ImportFileError

if TYPE_CHECKING:
    from sqlalchemy import Connection

PASSWORD_VARIABLE = "CASAWATT_IMPORT_PASSWORD"  # noqa: S105 - the name of a variable, not a password
"""The environment variable that holds the password of a database to import from."""

POSTGRESQL = ("postgresql", "postgres")
MYSQL = ("mysql", "mariadb")
"""Schemes that the address of such a database may have."""

DRIVERS = dict.fromkeys(POSTGRESQL, "postgresql+pg8000") | dict.fromkeys(MYSQL, "mysql+pymysql")
"""For each scheme the driver that is used."""

CONNECT_TIMEOUT_S = 15
_TIMEOUT = {
    "postgresql+pg8000": {"timeout": CONNECT_TIMEOUT_S},
    "mysql+pymysql": {"connect_timeout": CONNECT_TIMEOUT_S},
}
_SQLITE_MAGIC = b"SQLite format 3\x00"
_DENIED = ("28P01", "28000", "1045", "1698", "no password", "password authentication")
"""What the drivers' errors have in them when user or password are wrong."""

AskPassword = Callable[[], str | None]
"""Returns a password that a person types, None when nobody can be asked."""


class PasswordInAddressError(CasawattError):
    """The address of a database has a password in it; the text says where it belongs, and does not repeat it."""


def check_address(address: str, kinds: Sequence[str]) -> None:
    """Raise PasswordInAddressError for an address with a password in it, ImportFileError for one that cannot be.

    One that passes may be shown. `kinds` are the schemes that it may have.
    """
    example = f"{kinds[0]}://user@host/name"
    try:
        parts = urlsplit(address)
        # Counted to the last @, so that no character of a password can hide it.
        secret = ":" in address.partition("://")[2].rpartition("@")[0]
        secret = secret or any("pass" in name.lower() for name, _ in parse_qsl(parts.query))
        database, _port = parts.path.strip("/"), parts.port
    except ValueError:
        raise ImportFileError(f"the database's address cannot be read; write it like {example}") from None
    if secret:
        raise PasswordInAddressError(
            "a password does not belong into an address, where others of this machine can read it: leave it out"
            f" (user@host instead of user:password@host) and set {PASSWORD_VARIABLE}, or type it when asked"
        )
    if not parts.scheme or "://" not in address:
        raise ImportFileError(f"{address}: this is no address of a database; write it like {example}")
    kind = parts.scheme.partition("+")[0]
    if kind not in kinds:
        raise ImportFileError(f"{kind!r} is none of the databases that can be read here; write it like {example}")
    if not database:
        raise ImportFileError(f"{address}: the name of the database is missing, as in {example}")


@contextmanager
def connected(address: str, ask: AskPassword, kinds: Sequence[str]) -> Iterator["Connection"]:
    """Yield a connection to the server at `address` that only reads.

    The password is that of the environment; if the server wants another and a person can be asked, what they type.
    Raises ImportFileError, which names the address, when there is no connection or it breaks.
    """
    check_address(address, kinds)
    password = os.environ.get(PASSWORD_VARIABLE)
    with importing_errors(address):
        try:
            connection = _connect(address, password)
        except Exception as error:
            typed = ask() if _is_denial(error) else None
            if typed is None:
                raise
            connection = _connect(address, typed)
        with connection:
            yield connection


def _connect(address: str, password: str | None) -> "Connection":
    sqlalchemy = importlib.import_module("sqlalchemy")
    driver = DRIVERS[address.partition("://")[0].partition("+")[0]]
    url = sqlalchemy.make_url(f"{driver}://{address.partition('://')[2]}")
    url = url.set(password=password or "")  # none at all would let pg8000 stumble when the server asks for one
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool, connect_args=_TIMEOUT[driver])
    connection: Connection = engine.connect()
    return connection


@contextmanager
def connected_file(path: Path) -> Iterator["Connection"]:
    """Yield a connection to an SQLite file like that of `connected`; raises ImportFileError as `sqlite_read_only`."""
    sqlalchemy = importlib.import_module("sqlalchemy")
    with sqlite_read_only(path) as raw:
        engine = sqlalchemy.create_engine("sqlite://", creator=lambda: raw, poolclass=sqlalchemy.pool.StaticPool)
        with importing_errors(str(path)), engine.connect() as connection:
            yield connection


def _is_denial(error: Exception) -> bool:
    return any(word in str(error) for word in _DENIED)


@contextmanager
def importing_errors(origin: str) -> Iterator[None]:
    """Turn what drivers raise into ImportFileError that begins with `origin`; our own errors pass."""
    try:
        yield
    except CasawattError:
        raise
    except Exception as error:
        if not _is_of_a_driver(error):
            raise
        raise ImportFileError(f"{origin}: {_reason(error)}") from error


def _is_of_a_driver(error: Exception) -> bool:
    family = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or bool(family & {"sqlalchemy", "pg8000", "pymysql", "sqlite3"})


def _reason(error: Exception) -> str:
    """Return what a driver says, in one line, without the statement that it said it of."""
    said: Any = getattr(error, "orig", None) or error
    text = str(said)
    if _is_denial(error):
        given = os.environ.get(PASSWORD_VARIABLE) is not None
        hint = "it is wrong" if given else "none is set"
        return f"user or password were refused; the password is taken from {PASSWORD_VARIABLE}: {hint}"
    if said.args and isinstance(said.args[0], dict):
        text = str(said.args[0].get("M", said.args[0]))
    elif len(said.args) == 2:
        text = str(said.args[1])
    return " ".join(text.split()) or type(said).__name__


def is_sqlite(path: Path) -> bool:
    """Return whether a file begins as an SQLite database does; raises ImportFileError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except OSError as error:
        raise ImportFileError(f"{path}: {error.strerror}") from error


@contextmanager
def sqlite_read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to an SQLite file that only reads, also while another program writes to it.

    Raises ImportFileError, which names the file, when it is none, cannot be read or is damaged.
    """
    if not is_sqlite(path):
        raise ImportFileError(f"{path}: this is no SQLite database")
    with importing_errors(str(path)):
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()
