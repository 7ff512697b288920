"""What a failed connection means to the operator: from errors of the client to problems. Pure."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from placed.domain.network_errors import why
from placed.domain.problem import Problem
from placed.mqtt.client.mqtt_error import ClosedBeforeConnack, MqttError

if TYPE_CHECKING:
    from placed.mqtt.client.reason_code import ReasonCode

TAKEN_OVER = 0x8E  # MQTT 5, section 4.13: another client connected with our client identifier
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: the clock is wrong and may be set, or the
# certificate is about to be renewed, so it may work later.
_OUT_OF_TIME = (9, 10)
_HOSTNAME_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH

# Reason codes of a CONNACK, MQTT 5, table 3-1. The return codes of 3.1.1 are mapped to these.
_LASTING = {
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
_UNSUPPORTED_VERSION = 0x84
_UNSPECIFIED = 0x80
# What a broker reports over TLS about our certificate, by OpenSSL's names of the alerts: RFC 8446, 6.2.
_OURS = "set mqtt.certificate and mqtt.key to a certificate that the broker trusts"
_CERTIFICATE_ALERTS = {
    "CERTIFICATE_REQUIRED": ("the broker requires a client certificate", _OURS),
    "UNKNOWN_CA": ("the broker does not know the CA that issued the client certificate", _OURS),
    "CERTIFICATE_EXPIRED": (
        "the client certificate has expired",
        "renew it, and set mqtt.certificate and mqtt.key to the new one",
    ),
    "CERTIFICATE_REVOKED": ("the client certificate was revoked", _OURS),
    "BAD_CERTIFICATE": ("the broker refuses the client certificate as invalid", _OURS),
    "CERTIFICATE_UNKNOWN": ("the broker does not accept the client certificate", _OURS),
    "UNSUPPORTED_CERTIFICATE": (
        "the broker does not accept a client certificate of this kind",
        "set mqtt.certificate and mqtt.key to a certificate for TLS client authentication",
    ),
    "DECRYPT_ERROR": ("the broker could not verify the client certificate", _OURS),
    "ACCESS_DENIED": ("the broker denies access with this client certificate", _OURS),
    # TLS 1.2 sends it if a certificate is missing, and also if there is no common cipher.
    "HANDSHAKE_FAILURE": (
        "the broker ends the TLS handshake, which as a rule means that it requires a client certificate",
        f"{_OURS}; if it requires none, let it use the usual ciphers",
    ),
}
_VERSION_ALERTS = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "INSUFFICIENT_SECURITY")
_OTHER_VERSIONS = {"5": "3.1.1", "3.1.1": "5"}
_SERVERS = {b"HTTP/": "a web server", b"AMQP": "AMQP", b"INFO {": "NATS without MQTT", b"SSH-": "SSH"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection. `event` names it in the log.

    The problem's key is the setting that has to do with it. It is lasting if only a person can fix it; if it
    is not, its remedy is what a person may have to do if it goes on.
    """

    event: str
    problem: Problem

    @classmethod
    def of(
        cls, event: str, text: str, key: str = "url", remedy: str = "", *, lasting: bool | None = None
    ) -> Self:
        """The trouble with this setting of `[mqtt]`; lasting if there is a remedy, unless given."""
        return cls(event, Problem(f"mqtt.{key}", text, remedy, bool(remedy) if lasting is None else lasting))

    def at(self, address: str) -> Problem:
        """The problem, with the broker's address."""
        return replace(self.problem, text=f"{address}: {self.problem.text}")

    def is_news_after(self, before: Trouble | None) -> bool:
        """Whether to log it: when trouble begins, and again when it turns out that a person is needed."""
        return before is None or (bool(self.problem.remedy) and self.event != before.event)


class BrokerLost(Exception):
    """There is no connection, or no longer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.problem.text)
        self.trouble = trouble


def reason(error: BaseException | None) -> int | None:
    """Returns the reason code of the broker, if there is one."""
    code = error.reason if isinstance(error, MqttError) else None
    return None if code is None else code.value


def why_not_connected(error: Exception, protocol: str = "5") -> Trouble:
    """Returns why connecting failed, by the error alone; `protocol` is the version that was tried."""
    code = reason(error)
    if code == _UNSUPPORTED_VERSION:
        return other_version(protocol)
    if code in _LASTING:
        event, key, remedy = _LASTING[code]
        return Trouble.of(event, f"the broker refused the connection: {_words(error)}", key, remedy)
    if isinstance(error, UnicodeError):
        return Trouble.of("broker.was_not_found", "no such host name can exist", "url", "correct it")
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError) and (found := tls_trouble(cause)):
        return found
    if isinstance(error, ClosedBeforeConnack):
        return hung_up(protocol, _words(cause) if cause else None)
    return Trouble.of("broker.was_not_reached", _words(cause or error))


def unexplained(error: Exception) -> bool:
    """Returns whether the error does not show the cause, so that a probe of the broker may show it."""
    if reason(error) not in (None, _UNSPECIFIED) or isinstance(error, UnicodeError):
        return False
    cause = error.__cause__
    if isinstance(cause, ssl.SSLError):
        return tls_trouble(cause) is None
    if isinstance(cause, OSError):
        ended = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, TimeoutError)
        return isinstance(cause, ended)
    return True


def why_lost(error: BaseException) -> Trouble:
    """Returns why a connection ended."""
    return Trouble.of("broker.was_lost", _words(error.__cause__ or error))


# --- what a probe of the broker shows ---


def other_version(protocol: str, *, hangs_up: bool = False) -> Trouble:
    """The broker does not speak this version of MQTT; `hangs_up`: it ends the connection silently."""
    other = _OTHER_VERSIONS[protocol]
    text = f"the broker does not speak MQTT {protocol}"
    if hangs_up:
        text = (
            f"the broker ends the connection at a CONNECT of MQTT {protocol}, and answers one of MQTT {other}"
        )
    return Trouble.of("broker.refused_protocol", text, "protocol", f'set mqtt.protocol to "{other}"')


def not_subscribed(topic: str, code: ReasonCode) -> Trouble | None:
    """The broker refused a subscription; None if the code of its SUBACK grants it."""
    if not code.is_failure:
        return None
    text = f"the broker does not let us subscribe to {topic}: {code}"
    remedy = "have its access rules let this login read there"
    return Trouble.of("topic.was_not_readable", text, "base_topic", remedy)


def hung_up(protocol: str, detail: str | None = None) -> Trouble:
    """The connection was ended at CONNECT, and nothing else is known."""
    other = _OTHER_VERSIONS[protocol]
    suffix = f" ({detail})" if detail else ""
    text = f"the broker ended the connection at CONNECT, without an answer{suffix}"
    advice = (
        f"if this goes on, look into the broker's log; where it does not speak MQTT {protocol}, "
        f'set mqtt.protocol to "{other}"'
    )
    return Trouble.of("broker.hung_up", text, "protocol", advice, lasting=False)


def no_answer(protocol: str) -> Trouble:
    """There is a connection, and a CONNECT is not answered in either version."""
    text = "a connection can be made, but a CONNECT is not answered"
    advice = (
        "check that mqtt.url is the broker's MQTT port, and look into its log; where it does not speak "
        f'MQTT {protocol}, set mqtt.protocol to "{_OTHER_VERSIONS[protocol]}"'
    )
    return Trouble.of("broker.hung_up", text, "url", advice, lasting=False)


def no_qos_1() -> Trouble:
    """The broker allows QoS 0 alone."""
    event, key, remedy = _LASTING[0x9B]
    return Trouble.of(event, "the broker takes QoS 0 alone, and placed publishes with QoS 1", key, remedy)


def no_retained_messages() -> Trouble:
    """The broker announces that it keeps no retained messages."""
    event, key, remedy = _LASTING[0x9A]
    text = "the broker keeps no retained messages, from which panels learn the state of rooms"
    return Trouble.of(event, text, key, remedy)


def tls_port() -> Trouble:
    """`mqtt://` leads to a port that speaks TLS."""
    text = "this port speaks TLS, but mqtt.url begins with mqtt://"
    remedy = "write mqtts:// in mqtt.url; if the broker's CA is a private one, set mqtt.ca_file, too"
    return Trouble.of("broker.speaks_tls", text, "url", remedy)


def plain_port() -> Trouble:
    """`mqtts://` leads to a port that speaks MQTT without TLS."""
    text = "this port speaks MQTT without TLS, but mqtt.url begins with mqtts://"
    remedy = "set mqtt.url to the broker's port for TLS (as a rule 8883), or write mqtt:// to do without TLS"
    return Trouble.of("broker.speaks_no_tls", text, "url", remedy)


def not_mqtt(data: bytes) -> Trouble:
    """What listens there answers, and not in MQTT."""
    kind = next((name for start, name in _SERVERS.items() if data.startswith(start)), "something else")
    remedy = "set mqtt.url to the broker's MQTT port (as a rule 1883, or 8883 for TLS)"
    if data.startswith(b"HTTP/"):
        remedy += "; MQTT over WebSockets is not supported"
    return Trouble.of("broker.is_no_broker", f"this port does not speak MQTT but {kind}", "url", remedy)


def tls_trouble(error: ssl.SSLError) -> Trouble | None:
    """What a TLS error means; None if it does not show that."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error)
    named = str(error)
    for alert, (text, remedy) in _CERTIFICATE_ALERTS.items():
        if alert in named:
            named_text = f"{text} (TLS alert: {alert.lower().replace('_', ' ')})"
            return Trouble.of("broker.refused_certificate", named_text, "certificate", remedy)
    if any(alert in named for alert in _VERSION_ALERTS):
        text = "there is no version of TLS that the broker and placed both speak"
        return Trouble.of("broker.refused_tls", text, "url", "let the broker speak TLS 1.2 or 1.3")
    return None


def _untrusted(error: ssl.SSLCertVerificationError) -> Trouble:
    event, text = "broker.was_not_trusted", f"the broker's certificate: {error.verify_message}"
    if error.verify_code in _OUT_OF_TIME:
        return Trouble.of(event, f"{text} by this machine's clock; is that right?")
    if error.verify_code in _HOSTNAME_MISMATCH:
        return Trouble.of(event, text, "url", "use the name that the broker's certificate is for")
    return Trouble.of(
        event, text, "ca_file", "set mqtt.ca_file to the CA that issued the broker's certificate"
    )


def _words(error: BaseException) -> str:
    if isinstance(error, MqttError) and error.reason is not None:
        return error.reason.words
    words = None if isinstance(error, ssl.SSLError) else why(error)
    return words or str(error) or "the connection failed"
