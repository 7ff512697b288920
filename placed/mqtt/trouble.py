"""What a failed connection means to the operator: an error of aiomqtt, told as trouble. Pure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from placed.mqtt.connection import HungUp

TAKEN_OVER = 0x8E  # MQTT 5, section 4.13: another client connected with our client identifier
_NOT_YET_VALID = 9  # X509_V_ERR_CERT_NOT_YET_VALID: of a clock that is not set yet, so time heals it
_HOSTNAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH

# Reason codes of a CONNACK, MQTT 5, table 3-1. paho tells the return codes of 3.1.1 as these, too.
_LASTING = {
    0x84: ("broker.refused_protocol", "protocol", "set mqtt.protocol to the other version"),
    0x85: ("broker.refused_client_id", "client_id", "set mqtt.client_id to one that the broker allows"),
    0x86: ("broker.refused_login", "username", "check mqtt.username and mqtt.password_file"),
    0x87: (
        "broker.refused_login",
        "username",
        "check mqtt.username and mqtt.password_file, and the broker's access rules",
    ),
    0x8A: ("broker.refused_login", "client_id", "the broker has banned this client; ask who runs it"),
    0x8C: ("broker.refused_login", "username", "the broker wants another way to log in"),
    0x90: ("broker.refused_topic", "base_topic", "set mqtt.base_topic to one that the broker allows"),
    0x9A: ("broker.refused_retain", "url", "use a broker that keeps retained messages"),
    0x9B: ("broker.refused_qos", "url", "use a broker that does QoS 1"),
}
# What a broker says in TLS about our certificate, as OpenSSL names it.
_CERTIFICATE_ALERTS = (
    "CERTIFICATE_REQUIRED",
    "UNKNOWN_CA",
    "BAD_CERTIFICATE",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "UNSUPPORTED_CERTIFICATE",
    "ACCESS_DENIED",
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection."""

    event: str  # for the log
    text: str
    key: str = "url"  # the setting below `mqtt` that has to do with it
    remedy: str | None = None  # what a person has to do; time heals all else

    @property
    def lasting(self) -> bool:
        """Whether only a person can mend it."""
        return self.remedy is not None


class Displaced(aiomqtt.MqttError):
    """Another instance has published in our place while we were cut off."""


class BrokerLost(Exception):
    """There is no connection, or no longer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


def reason(error: BaseException | None) -> int | None:
    """The reason code that a broker gave."""
    code = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
    return code.value if isinstance(code, ReasonCode) else None


def why_not_connected(error: Exception) -> Trouble:
    """What an attempt to connect failed of."""
    code = reason(error)
    if code in _LASTING:
        event, key, remedy = _LASTING[code]
        return Trouble(event, f"the broker refused the connection: {_words(error)}", key, remedy)
    if isinstance(error, UnicodeError):
        return Trouble("broker.was_not_found", "no such host name can exist", "url", "correct it")
    cause = error.cause if isinstance(error, HungUp) else error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _untrusted(cause)
    if isinstance(cause, ssl.SSLError) and any(alert in str(cause) for alert in _CERTIFICATE_ALERTS):
        return Trouble(
            "broker.refused_certificate",
            f"the broker does not accept the client certificate, or wants one: {_words(cause)}",
            "certificate",
            "set mqtt.certificate and mqtt.key to a certificate that the broker trusts",
        )
    return Trouble("broker.was_not_reached", _words(cause) if cause else _words(error))


def why_lost(error: BaseException) -> Trouble:
    """What ended a connection."""
    return Trouble("broker.was_lost", _words(error.__cause__ or error))


def _untrusted(error: ssl.SSLCertVerificationError) -> Trouble:
    event, text = "broker.was_not_trusted", f"the broker's certificate: {error.verify_message}"
    if error.verify_code == _NOT_YET_VALID:
        return Trouble(event, text)
    if error.verify_code in _HOSTNAME_MISMATCH:
        return Trouble(event, text, "url", "use the name that the broker's certificate is for")
    return Trouble(event, text, "ca_file", "set mqtt.ca_file to the CA that issued the broker's certificate")


def _words(error: BaseException) -> str:
    if isinstance(error, aiomqtt.MqttCodeError) and isinstance(error.rc, ReasonCode):
        return f"{error.rc} (0x{error.rc.value:02x})"
    return str(error) or type(error).__name__
