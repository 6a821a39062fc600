"""A real PostgreSQL and a real MariaDB, each started on the loopback in a folder of its own, and ended again.

Neither runs as root: there, PostgreSQL runs as its own user. `ready` is a line that the server writes, so nothing here
waits for time.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

PASSWORD = "open sesame: 1/2@home"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `user` may do everything, with `PASSWORD`."""

    port: int
    user: str
    scheme: str

    def address(self, database: str) -> str:
        """Return the address of one of its databases, without a password."""
        return f"{self.scheme}://{self.user}@127.0.0.1:{self.port}/{database}"


def free_port() -> int:
    """Return a TCP port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, *folders: str) -> str:
    """Return the path of a server's program, which may lie outside the PATH."""
    found = shutil.which(name)
    if found:
        return found
    candidates = [path for folder in folders for path in sorted(Path("/").glob(f"{folder}/{name}"))]
    assert candidates, f"{name} is not installed"
    return str(candidates[-1])


def identity(name: str) -> dict[str, Any]:
    """Return what lets a program run as the user `name` instead of root; nothing for anybody else."""
    return {"user": name, "group": name, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """Yield a folder with a short path, as sockets need, that belongs to the user `name`."""
    folder = Path(tempfile.mkdtemp(prefix="cw-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, name, name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(command: Sequence[str], ready: str, who: dict[str, Any], **environment: str) -> Iterator[None]:
    """Run a server from when it says that it is ready."""
    process = subprocess.Popen(
        command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True, env=os.environ | environment, **who
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise AssertionError("".join(said))
        rest = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
        rest.start()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        rest.join()
        process.stdout.close()


@contextmanager
def postgres(port: int) -> Iterator[Server]:
    """Yield a PostgreSQL server that asks for the password."""
    places = ("usr/lib/postgresql/*/bin", "usr/local/pgsql/bin")
    who = identity("postgres")
    with own_folder("postgres") as folder:
        secret, data = folder / "secret", folder / "data"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        made = [program("initdb", *places), "-D", str(data), "-U", "keeper", "-A", "scram-sha-256"]
        made += ["-E", "UTF8", "--locale=C", "--pwfile", str(secret), "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **who)
        command = [program("postgres", *places), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
        with running(command, "ready to accept connections", who):
            yield Server(port, "keeper", "postgresql")


def psql(server: Server, database: str, text: str) -> None:
    """Let PostgreSQL's own client carry out a script."""
    command = [program("psql"), "-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, "-d", database]
    done = subprocess.run(
        [*command, "-v", "ON_ERROR_STOP=1", "-q", "-f", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PGPASSWORD": PASSWORD},
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def mariadb(port: int, timezone: str) -> Iterator[Server]:
    """Yield a MariaDB server whose own zone (`SYSTEM`) is `timezone`."""
    who = identity("mysql")
    with own_folder("mysql") as folder:
        data = folder / "data"
        made = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        subprocess.run(
            [*made, "--auth-root-authentication-method=normal"], check=True, capture_output=True, cwd=folder, **who
        )
        command = [program("mariadbd", "usr/sbin"), "--no-defaults", f"--datadir={data}", f"--port={port}"]
        command += ["--bind-address=127.0.0.1", f"--socket={folder}/s", f"--pid-file={folder}/pid"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        with running(command, "ready for connections", who, TZ=timezone):
            root = pymysql.connect(unix_socket=f"{folder}/s", user="root")
            with root, root.cursor() as cursor:
                cursor.execute("CREATE USER keeper@'%%' IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute("GRANT ALL ON *.* TO keeper@'%'")
            yield Server(port, "keeper", "mysql")


def mysql(server: Server, database: str | None, *statements: str) -> None:
    """Carry out statements on MariaDB."""
    connection = pymysql.connect(
        host="127.0.0.1", port=server.port, user=server.user, password=PASSWORD, database=database, autocommit=True
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
