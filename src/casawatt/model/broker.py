"""How to reach an MQTT broker."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class BrokerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach an MQTT broker, and to be let in; `port` None is the usual one.

    `ca_file` holds the certificates that the broker's must be signed by, None: the system's. `certificate_file` and
    `key_file` are our own. `client_id` None is made of the home's. `session_expiry_s` is how long the broker keeps
    what is sent while we are away; 0 not at all.
    """

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    tls: bool = False
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    user: str | None = None
    password_file: str | None = None
    client_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    protocol: Literal["5", "3.1.1"] = "5"
    keepalive_s: Annotated[int, Meta(ge=5, le=65535)] = 60
    session_expiry_s: Annotated[int, Meta(ge=0, le=4_294_967_295)] = 604_800

    def __post_init__(self) -> None:
        """Raise ValueError for options that need another."""
        for option, needs, there in (
            ("ca_file", "tls = true", self.tls),
            ("certificate_file", "tls = true", self.tls),
            ("key_file", "certificate_file", self.certificate_file),
            ("password_file", "user", self.user),
        ):
            if getattr(self, option) is not None and not there:
                message = f"{option} needs {needs}"
                raise ValueError(message)

    @property
    def tcp_port(self) -> int:
        """The port to connect to."""
        return self.port or (8883 if self.tls else 1883)
