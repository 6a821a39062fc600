"""Why an MQTT broker cannot be used, in words for a person."""

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

from casawatt.model.broker import BrokerOptions

NO_TLS = "it does not speak TLS on this port"

_OTHER_NAME = (62, 64)
"""OpenSSL's codes for a certificate of another host name, or another IP address."""


def why_not_connected(error: Exception, options: BrokerOptions) -> str:
    """Return why a connection could not be opened."""
    if isinstance(error, ssl.SSLError):
        return why_not_encrypted(error, options)
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, ConnectionResetError) and options.tls:
        return NO_TLS
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, socket.gaierror):
        return f"no such host: {error.strerror}"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def why_not_encrypted(error: ssl.SSLError, options: BrokerOptions) -> str:
    """Return why a connection could not be encrypted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_NAME:
            return f"its certificate is not for {options.host!r}: {error.verify_message}"
        by = f"ca_file {options.ca_file}" if options.ca_file else "this system; name its CA in ca_file"
        return f"its certificate is not trusted by {by}: {error.verify_message}"
    if error.reason == "WRONG_VERSION_NUMBER" or isinstance(error, ssl.SSLEOFError):
        return NO_TLS
    return f"no encrypted connection: {error.reason or error}"


def refusal(code: ReasonCode, options: BrokerOptions) -> str:
    """Return why the broker refused or ended a connection."""
    name = str(code)
    if name in {"Not authorized", "Bad user name or password"}:
        who = "no user is set" if options.user is None else f"user {options.user!r}, or its password, is wrong"
        return f"{name.lower()}; {who}"
    if name == "Session taken over":
        return "another client with the same client_id has taken its place"
    return name.lower()


def why_unanswered(complaint: str, options: BrokerOptions) -> str:
    """Return why a broker closed the connection before it said a word, from what the library said of it."""
    if "CERTIFICATE_REQUIRED" in complaint:
        return "it wants a client certificate: set certificate_file and key_file"
    if "ALERT" in complaint:
        return f"it does not accept our certificate: {complaint}"
    hint = "" if options.tls else "; does it want tls = true?"
    return f"it closed the connection before it answered{hint}"
