"""The socket to an MQTT broker: TCP, or TLS on top of it."""

import asyncio
import socket
import ssl

from casawatt.model.broker import BrokerOptions

CONNECT_S = 10.0
"""The longest wait for a broker to take a connection, and again to encrypt it."""


def close_unwanted(opening: asyncio.Future[socket.socket]) -> None:
    """Close a connection that came too late."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def open_socket(options: BrokerOptions) -> socket.socket:
    """Return a connection to the broker, encrypted where it is to be; raises OSError, ValueError. It may wait."""
    context = tls_context(options) if options.tls else None
    opened = socket.create_connection((options.host, options.tcp_port), CONNECT_S)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened if context is None else context.wrap_socket(opened, server_hostname=options.host)


def tls_context(options: BrokerOptions) -> ssl.SSLContext:
    """Return what the broker's certificate is judged by, and what we show of ourselves; raises ValueError."""
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"ca_file {options.ca_file} cannot be used: {error}") from error
    if options.certificate_file is not None:
        try:
            context.load_cert_chain(
                options.certificate_file, options.key_file, password=""
            )  # else it would ask for one
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"certificate_file or key_file cannot be used: {error}") from error
    return context
