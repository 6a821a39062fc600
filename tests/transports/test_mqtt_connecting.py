"""How a broker is connected to, and what is said when it cannot be, against a real Mosquitto."""

import asyncio
import base64
import hashlib
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from casawatt.model.errors import ConfigError
from casawatt.model.event import Event
from casawatt.supervisor import Supervisor
from casawatt.transports import mqtt_link
from casawatt.transports.mqtt import Broker
from tests.fakes.clock import ManualClock
from tests.mosquitto import HOST, Mosquitto, mosquitto, peer
from tests.transports.taker import CLIENT, SUBSCRIBED, Taker, options, running, until_connected


async def why_not(server: Mosquitto, **more: object) -> str:
    """Return why a broker cannot be connected to."""
    with pytest.raises(ConnectionError) as raised:
        await Broker("home", options(server, **more), CLIENT).run()
    return str(raised.value)


async def talks(server: Mosquitto, **more: object) -> None:
    """See that a message goes out and comes back."""
    taker = Taker()
    broker = Broker("home", options(server, **more), CLIENT, listeners=1)
    async with broker.listening(["a"], taker.take, taker.kept), running(broker):
        await until_connected(broker)
        await broker.publish("a", "x" * 100_000, qos=1)
        assert await taker.until(1) == ["x" * 100_000]


async def test_a_broker_is_trusted_by_the_authority_that_is_named(tmp_path: Path) -> None:
    with mosquitto(tmp_path, tls=True) as server:
        await talks(server)
        await talks(server, protocol="3.1.1")


async def test_many_messages_at_once_come_through_encryption(tmp_path: Path) -> None:
    taker = Taker()
    with mosquitto(tmp_path, tls=True) as server:
        broker = Broker("home", options(server), CLIENT, listeners=1)
        async with broker.listening(["a"], taker.take, taker.kept), running(broker):
            await until_connected(broker)
            await asyncio.gather(*(broker.publish("a", str(number), qos=1) for number in range(1000)))
            assert sorted(map(int, await taker.until(1000))) == list(range(1000))


async def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    with mosquitto(tmp_path, tls=True) as server:
        said = await why_not(server, ca_file=str(other))
        assert f"{HOST}:{server.port}: its certificate is not trusted by ca_file {other}: " in said
        assert "not trusted by this system; name its CA in ca_file: " in await why_not(server, ca_file=None)


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    with mosquitto(tmp_path, tls=True, names=("mqtt.example",)) as server:
        said = await why_not(server)
        assert f"{HOST}:{server.port}: its certificate is not for '{HOST}': IP address mismatch" in said
        assert "its certificate is not for 'localhost': Hostname mismatch" in await why_not(server, host="localhost")


async def test_a_broker_that_wants_a_certificate_of_ours_is_shown_it(tmp_path: Path) -> None:
    with mosquitto(tmp_path, tls=True, client_certificates=True) as server:
        await talks(server, certificate_file=str(tmp_path / "client.pem"))
        said = await why_not(server)
        assert said.endswith("it wants a client certificate: set certificate_file and key_file")
        strange = tmp_path / "strange.pem"
        trustme.CA().issue_cert("casawatt").private_key_and_cert_chain_pem.write_to_path(strange)
        assert "it does not accept our certificate: " in await why_not(server, certificate_file=str(strange))


async def test_files_of_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing", encoding="utf-8")
    with mosquitto(tmp_path, tls=True) as server:
        assert f"ca_file {broken} cannot be used: " in await why_not(server, ca_file=str(broken))
        assert f"ca_file {tmp_path}/none cannot be used: " in await why_not(server, ca_file=f"{tmp_path}/none")
        said = await why_not(server, certificate_file=str(broken))
        assert "certificate_file or key_file cannot be used: " in said


async def test_encryption_where_there_is_none_and_none_where_there_is_are_told(tmp_path: Path) -> None:
    with mosquitto(tmp_path, tls=True) as server:
        said = await why_not(server, tls=False, ca_file=None)
        assert "it closed the connection before it answered; does it want tls = true?" in said
    with mosquitto(tmp_path) as server:
        assert "it does not speak TLS on this port" in await why_not(server, tls=True)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_password_is_read_from_its_file_or_the_environment(
    tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    password = tmp_path / "password"
    password.write_text("hunter2\n", encoding="utf-8")
    password.chmod(0o600)
    login = {"user": "casawatt", "password_file": str(password), "protocol": protocol}
    with mosquitto(tmp_path, users={"casawatt": "hunter2"}) as server:
        await talks(server, **login)
        said = await why_not(server, protocol=protocol)
        assert "no user is set" in said
        password.write_text("hunter3", encoding="utf-8")
        said = await why_not(server, **login)
        assert "refused the connection: " in said
        assert "user 'casawatt', or its password, is wrong" in said
        monkeypatch.setenv("CASAWATT_BROKER_HOME_PASSWORD", "hunter2")
        await talks(server, **login)
    assert "hunter" not in caplog.text


async def test_a_password_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("hunter2", encoding="utf-8")
    password.chmod(0o644)
    with mosquitto(tmp_path) as server:
        broker = Broker("home", options(server, user="a", password_file=str(password)), CLIENT)
        with pytest.raises(ConfigError, match=f"chmod 600 {password}"):
            await broker.run()


async def test_a_broker_that_is_not_there_is_told(tmp_path: Path) -> None:
    nowhere = Mosquitto(tmp_path, "")
    assert await why_not(nowhere) == f"{HOST}:{nowhere.port}: nothing listens there"
    assert "nowhere.invalid:" in (said := await why_not(nowhere, host="nowhere.invalid"))
    assert "no such host: " in said


@asynccontextmanager
async def says(answer: bytes) -> AsyncIterator[int]:
    """Listen on a port where this is the only answer, while entered."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        with suppress(ConnectionError):
            while await reader.read(100):
                pass
        writer.close()
        done.set()

    done = asyncio.Event()
    listening = await asyncio.start_server(serve, HOST, 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        await done.wait()


async def test_who_takes_the_connection_and_says_nothing_is_no_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "ANSWER_S", 0.1)
    async with says(b"") as port:
        said = await why_not(Mosquitto(tmp_path, "", port))
    assert "took the connection but says nothing: is it an MQTT broker?" in said


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x03\x00", b"\x20\x00", b"\x30\x02\xff\xff"]
)
async def test_what_is_no_mqtt_ends_the_connection_and_nothing_else(
    tmp_path: Path, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "ANSWER_S", 0.3)
    async with says(answer) as port:
        assert f"{HOST}:{port}" in await why_not(Mosquitto(tmp_path, "", port))


async def test_why_a_broker_ends_a_connection_is_told(tmp_path: Path) -> None:
    welcome, taken_over = b"\x20\x03\x00\x00\x00", b"\xe0\x01\x8e"
    async with says(welcome + taken_over) as port:
        said = await why_not(Mosquitto(tmp_path, "", port))
    assert said == f"{HOST}:{port}: another client with the same client_id has taken its place"


async def test_a_broker_that_keeps_messages_for_less_than_we_asked_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    welcome, shutting_down = b"\x20\x08\x00\x00\x05\x11\x00\x00\x00\x3c", b"\xe0\x01\x8b"
    async with says(welcome + shutting_down) as port:
        assert "server shutting down" in await why_not(Mosquitto(tmp_path, "", port))
    assert f"{HOST}:{port} keeps what is sent while casawatt is away for 60 s only" in caplog.text


async def test_of_two_clients_of_the_same_name_one_loses_its_connection(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        first, second = (Broker("home", options(server), CLIENT) for _ in range(2))
        async with running(first) as connection, AsyncExitStack() as stack:
            await until_connected(first)
            await stack.enter_async_context(running(second))
            with pytest.raises(ConnectionError, match="the connection was lost"):
                await connection
            await until_connected(second)


async def test_a_broker_that_hangs_is_found_out_by_its_silence(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        broker = Broker("home", options(server, keepalive_s=1), CLIENT)
        async with running(broker) as connection:
            await until_connected(broker)
            assert server.process is not None
            server.process.send_signal(signal.SIGSTOP)
            with pytest.raises(ConnectionError, match="the connection was lost"):
                await connection
            server.kill()


async def test_a_lost_connection_is_made_again_after_a_pause(tmp_path: Path) -> None:
    taker = Taker()
    events: list[Event] = []
    supervisor = Supervisor(ManualClock(), events.append, lambda: None)
    with mosquitto(tmp_path) as server:
        broker = Broker("home", options(server), CLIENT, listeners=1)
        async with broker.listening(["a"], taker.take, taker.kept):
            supervised = asyncio.create_task(supervisor.run("broker.home", broker.run))
            await server.until_said(SUBSCRIBED)
            server.kill()
            server.start()
            async with peer(server) as device:
                await server.until_said(SUBSCRIBED, 2)
                await device.publish("a", "1")
                assert await taker.until(1) == ["1"]
            supervised.cancel()
            await asyncio.wait({supervised})
    (event,) = events
    assert (event.type, event.subject) == ("casawatt.source.failed", "broker.home")
    assert event.data["error"] == f"{HOST}:{server.port}: the connection was lost"


async def test_ended_while_it_connects_it_ends_at_once(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as deaf:
        port = deaf.getsockname()[1]
        broker = Broker("home", options(Mosquitto(tmp_path, "", port), tls=True), CLIENT)
        connection = asyncio.create_task(broker.run())
        taken, _ = await asyncio.to_thread(deaf.accept)
        connection.cancel()
        await asyncio.wait({connection})
        assert connection.cancelled()
        taken.close()


def dynamic_security(folder: Path) -> str:
    """Return the lines that let the user `casawatt` have the topic `mine` only."""
    salt = b"0123456789ab"
    key = hashlib.pbkdf2_hmac("sha512", b"hunter2", salt, 101)
    entries = [
        {"acltype": kind, "topic": "mine", "allow": True} for kind in ("subscribePattern", "publishClientReceive")
    ]
    document = {
        "defaultACLAccess": dict.fromkeys(
            ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe"), False
        ),
        "roles": [{"rolename": "reader", "acls": entries}],
        "clients": [
            {
                "username": "casawatt",
                "password": base64.b64encode(key).decode(),
                "salt": base64.b64encode(salt).decode(),
                "iterations": 101,
                "roles": [{"rolename": "reader"}],
            }
        ],
    }
    file = folder / "security.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    (plugin,) = Path("/usr/lib").rglob("mosquitto_dynamic_security.so")
    return f"plugin {plugin}\nplugin_opt_config_file {file}"


async def test_a_topic_that_is_refused_fails_who_wants_it_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASAWATT_BROKER_HOME_PASSWORD", "hunter2")
    taker = Taker()
    with mosquitto(tmp_path, dynamic_security(tmp_path)) as server:
        broker = Broker("home", options(server, user="casawatt"), CLIENT, listeners=2)
        async with (
            running(broker) as connection,
            broker.listening(["mine"], taker.take, taker.kept) as allowed,
            broker.listening(["mine", "yours"], taker.take, taker.kept) as refused,
        ):
            with pytest.raises(
                PermissionError, match=r"\[broker.home\] does not let us have the topic 'yours': Not auth"
            ):
                await refused.failed()
            async with broker.listening(["theirs"], taker.take, taker.kept) as late:
                with pytest.raises(PermissionError, match="'theirs'"):
                    await late.failed()
            with pytest.raises(PermissionError, match="refused a message to 'yours'"):
                await broker.publish("yours", "1", qos=1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await allowed.failed()
            assert not connection.done()
