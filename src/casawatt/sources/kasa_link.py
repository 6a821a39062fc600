"""How a plug of TP-Link's is reached: by python-kasa, whose own faults end here.

The one file that speaks to python-kasa (GPL-3, an optional extra, see ADR 10). What it hands out are the documents
that the device sent, as they are.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

try:
    from kasa import AuthenticationError, Credentials, DeviceConfig, DeviceConnectionParameters, Discover, KasaException
    from kasa import DeviceEncryptionType as Encryption
    from kasa import DeviceFamily as Family
    from kasa import TimeoutError as KasaTimeoutError
    from kasa.device_factory import get_protocol
    from kasa.protocols import BaseProtocol, IotProtocol
except ImportError as error:
    message = f"it needs python-kasa: pip install 'casawatt[kasa]' ({error})"
    raise ImportError(message) from error

from casawatt.model.errors import PacketError
from casawatt.sources.kasa_legacy import name_of

__all__ = [
    "BROADCAST",
    "Credentials",
    "DeviceConfig",
    "Host",
    "Link",
    "Seen",
    "connect",
    "keep_quiet",
    "look_around",
    "mac_of",
    "parse_host",
]

TIMEOUT_S = 5
"""How long a device may take to answer."""

WAYS = (
    (Family.IotSmartPlugSwitch, Encryption.Xor, None),
    (Family.SmartTapoPlug, Encryption.Klap, 2),
    (Family.SmartTapoPlug, Encryption.Aes, 2),
    (Family.IotSmartPlugSwitch, Encryption.Klap, 1),
)
"""How a device may want to be spoken to, the most usual ways first."""

BROADCAST = "255.255.255.255"

IDENTITY: Mapping[bool, Mapping[str, Any]] = {True: {"system": {"get_sysinfo": {}}}, False: {"get_device_info": None}}
"""What asks a device who it is: one that speaks the old language (True) or the new one."""

Document = dict[str, Any]


class Host(NamedTuple):
    """Where a device is; `port` None takes the one that its protocol is known by."""

    name: str
    port: int | None = None

    def __str__(self) -> str:
        """Return it as it is written in the config."""
        return self.name if self.port is None else f"{self.name}:{self.port}"


def parse_host(text: str) -> Host:
    """Return the host in `name`, `name:port` or `[IPv6]:port`; raises ValueError."""
    name, colon, port = text.strip().rpartition(":")
    if not colon or (":" in name and not name.endswith("]")):
        name, port = text.strip(), ""
    name = name.removeprefix("[").removesuffix("]")
    if not name or any(letter.isspace() or letter == "/" for letter in name):
        raise ValueError(f"{text!r} is no host; write it like '192.168.1.20' or 'plug.lan:9999'")
    if colon and port and not (port.isdecimal() and 0 < int(port) <= 65_535):
        raise ValueError(f"{text!r}: {port!r} is no port")
    return Host(name, int(port) if port else None)


@dataclass(frozen=True, slots=True)
class Link:
    """A device that answers. `is_legacy`: it speaks the language of the first Kasa plugs, else that of Tapo.

    `identity` is what it said of itself.
    """

    protocol: BaseProtocol
    settings: DeviceConfig
    is_legacy: bool
    identity: Document

    async def ask(self, request: Mapping[str, Any]) -> Document:
        """Return the answers to a request; one that the device refused is an error code in its place (Tapo).

        Raises PacketError of the cause `unreachable`, `credentials` or `answer`.
        """
        return await ask(self.protocol, request)

    async def close(self) -> None:
        """End the connection."""
        await self.protocol.close()


async def ask(protocol: BaseProtocol, request: Mapping[str, Any], retries: int = 1) -> Document:
    """Ask a device; raises PacketError likewise. A connection that had ended meanwhile is opened again by a retry."""
    try:
        answer = await protocol.query(dict(request), retry_count=retries)
    except AuthenticationError as error:
        raise PacketError("credentials", f"the device refuses user and password: {error}") from None
    except (KasaTimeoutError, OSError) as error:
        raise PacketError("unreachable", str(error) or type(error).__name__) from None
    except KasaException as error:
        cause = "unreachable" if _is_of_the_network(error) else "answer"
        raise PacketError(cause, str(error)) from None
    except Exception as error:  # noqa: BLE001 - python-kasa lets through whatever its parsers raise of garbage
        raise PacketError("answer", f"what the device answered makes no sense: {error!r}") from None
    if not isinstance(answer, dict):
        raise PacketError("answer", f"the device answered {type(answer).__name__}, no object")
    return answer


def _is_of_the_network(error: BaseException) -> bool:
    """Say whether an error of python-kasa's goes back to one of the operating system's, or to a closed connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError | EOFError):
            return True
        cause = cause.__cause__
    return False


async def connect(host: Host, credentials: Credentials | None, known: DeviceConfig | None = None) -> Link:
    """Return a link to a device, found out in which way it wants to be spoken to; `known` is tried alone.

    Raises PacketError that says why none was found: refused credentials first, else what the last way met.
    """
    wanted = [known] if known else [settings_of(host, credentials, *way) for way in WAYS]
    errors: list[PacketError] = []
    for settings in wanted:
        try:
            return await _connect(settings)
        except PacketError as error:
            errors.append(error)
        if len(errors) > 1 and all(error.cause == "unreachable" for error in errors):
            break  # nobody is there: the other ways would wait as long each
    refused = next((error for error in errors if error.cause == "credentials"), None)
    understood = next((error for error in errors if error.cause != "unreachable"), errors[-1])
    raise refused or understood


def settings_of(
    host: Host, credentials: Credentials | None, family: Family, encryption: Encryption, login_version: int | None
) -> DeviceConfig:
    """Return what python-kasa needs to know so as to speak with a device in one way."""
    return DeviceConfig(
        host=host.name,
        port_override=host.port,
        timeout=TIMEOUT_S,
        credentials=credentials,
        connection_type=DeviceConnectionParameters(family, encryption, login_version),
    )


async def _connect(settings: DeviceConfig) -> Link:
    try:
        protocol = get_protocol(settings)
    except ValueError as error:
        raise PacketError("answer", f"python-kasa cannot speak with {settings.host!r}: {error}") from None
    if protocol is None:
        raise PacketError("answer", f"python-kasa has no protocol for {settings.connection_type}")
    is_legacy = isinstance(protocol, IotProtocol)
    try:
        identity = identity_of(await ask(protocol, IDENTITY[is_legacy], retries=0), is_legacy=is_legacy)
    except BaseException:
        await protocol.close()
        raise
    return Link(protocol, settings, is_legacy, identity)


def identity_of(answer: Document, *, is_legacy: bool) -> Document:
    """Return what a device said of itself; raises PacketError."""
    said = answer.get("system") if is_legacy else answer
    identity = said.get("get_sysinfo" if is_legacy else "get_device_info") if isinstance(said, dict) else None
    if not isinstance(identity, dict):
        raise PacketError("answer", "the device does not say who it is")
    return identity


class Seen(NamedTuple):
    """A device that answered a broadcast: where, by which name and model, and how to speak with it."""

    ip: str
    mac: str
    model: str | None
    name: str | None
    sockets: int | None
    """How many metered sockets it has, as far as it said; None when only a query would tell."""
    is_legacy: bool
    settings: DeviceConfig


async def look_around(timeout_s: float, credentials: Credentials | None, target: str = BROADCAST) -> list[Seen]:
    """Return the devices that answer a broadcast within `timeout_s`; raises OSError when it cannot be done."""
    answers: dict[str, Document] = {}
    search = Discover.discover(
        target=target,
        discovery_timeout=max(1, round(timeout_s)),
        credentials=credentials,
        timeout=TIMEOUT_S,
        on_discovered_raw=lambda raw: answers.update({raw["meta"]["ip"]: raw["discovery_response"]}),
    )
    searching = asyncio.ensure_future(search)
    try:
        await asyncio.wait([searching])  # not awaited itself: it may swallow that we are cancelled
    finally:
        searching.cancel()
    try:
        found = searching.result()
    except KasaException as error:
        raise OSError(str(error)) from None
    seen = []
    for ip, device in found.items():
        await device.protocol.close()
        with suppress(PacketError):  # whoever answers without a MAC address is none of ours
            seen.append(seen_of(ip, answers.get(ip, {}), device.config))
    return sorted(seen, key=lambda each: each.mac)


def seen_of(ip: str, answer: Document, settings: DeviceConfig) -> Seen:
    """Return what a device's answer to a broadcast says; raises PacketError when it has no MAC address."""
    is_legacy = "system" in answer
    if not is_legacy:
        said = answer.get("result")
        if not isinstance(said, dict):
            raise PacketError("answer", "the device does not say who it is")
        model = str(said.get("device_model", "")).partition("(")[0] or None
        return Seen(ip, mac_of(said.get("mac")), model, None, None, is_legacy, settings)
    said = identity_of(answer, is_legacy=True)
    children = said.get("children")
    several = len(children) if isinstance(children, list) else 0
    sockets = several or 1 if "ENE" in str(said.get("feature", "")) else 0
    model = str(said.get("model", "")).partition("(")[0] or None
    mac = mac_of(said.get("mac", said.get("mic_mac")))
    return Seen(ip, mac, model, name_of(said), sockets, is_legacy, settings)


def mac_of(text: object) -> str:
    """Return a MAC address in the form `50:c7:bf:00:00:01`; raises PacketError for anything else."""
    digits = "".join(letter for letter in str(text).lower() if letter in "0123456789abcdef")
    if len(digits) != 12:
        raise PacketError("answer", f"{text!r} is no MAC address")
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def keep_quiet() -> None:
    """Let python-kasa log no requests, which `--verbose` would else show by the thousand."""
    logging.getLogger("kasa").setLevel(logging.CRITICAL)
