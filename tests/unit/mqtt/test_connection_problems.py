from __future__ import annotations

import socket
import ssl

import pytest

from placed.mqtt.backoff import Backoff
from placed.mqtt.client.mqtt_error import ClosedBeforeConnack, MqttError
from placed.mqtt.client.reason_code import ReasonCode
from placed.mqtt.connection_problems import why_lost, why_not_connected


def refused(code: int) -> MqttError:
    return MqttError("refused", ReasonCode(code))


def caused(cause: Exception, kind: type[MqttError] = MqttError) -> MqttError:
    error = kind(str(cause))
    error.__cause__ = cause
    return error


def untrusted(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("error", "event", "key"),
    [
        (refused(0x84), "broker.refused_protocol", "protocol"),
        (refused(0x85), "broker.refused_client_id", "client_id"),
        (refused(0x86), "broker.refused_login", "username"),
        (refused(0x87), "broker.refused_login", "username"),
        (refused(0x8A), "broker.refused_login", "client_id"),
        (
            caused(untrusted(20, "unable to get local issuer")),
            "broker.was_not_trusted",
            "ca_file",
        ),
        (caused(untrusted(62, "Hostname mismatch")), "broker.was_not_trusted", "url"),
        (
            caused(ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]"), ClosedBeforeConnack),
            "broker.refused_certificate",
            "certificate",
        ),
        (UnicodeError("label too long"), "broker.was_not_found", "url"),
    ],
)
def test_errors_that_only_the_operator_can_fix(error: Exception, event: str, key: str) -> None:
    trouble = why_not_connected(error)
    assert (trouble.event, trouble.problem.key) == (event, f"mqtt.{key}")
    assert trouble.problem.lasting


@pytest.mark.parametrize(
    "error",
    [
        refused(0x88),  # server unavailable
        refused(0x89),  # server busy
        refused(0x97),  # quota exceeded
        caused(ConnectionRefusedError(111, "Connection refused")),
        caused(OSError(-2, "Name or service not known")),
        caused(untrusted(9, "certificate is not yet valid")),
        caused(untrusted(10, "certificate has expired")),  # by a clock that is wrong, as a rule
        caused(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]")),
        ClosedBeforeConnack("the connection was lost"),
        caused(ConnectionResetError(104, "reset"), ClosedBeforeConnack),
        MqttError("Operation timed out"),
    ],
)
def test_what_time_heals(error: Exception) -> None:
    trouble = why_not_connected(error)
    assert not trouble.problem.lasting
    assert trouble.problem.text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "the host name is not known"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "no name server answers"),
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(), "Connection reset by peer"),
        (OSError(101, "Network is unreachable"), "Network is unreachable"),
        (Exception(), "the connection failed"),
    ],
)
def test_no_name_of_a_class_and_no_number_is_left_in_a_message(error: Exception, text: str) -> None:
    assert why_not_connected(caused(error)).problem.text == text
    lost = MqttError("")
    lost.__cause__ = error
    assert why_lost(lost).problem.text == text


def test_a_reason_that_the_broker_gave_is_repeated() -> None:
    shut = MqttError("disconnected", ReasonCode(0x8B))
    assert why_lost(shut).problem.text == "Server shutting down (0x8b)"
    assert why_lost(MqttError("the connection was lost")).problem.text == "the connection was lost"


def test_pauses_double_and_are_reset() -> None:
    backoff = Backoff(1, 30, lambda: 0.0)
    assert [backoff.next_pause() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.reset()
    assert backoff.next_pause() == 1


def test_chance_shortens_a_pause_by_up_to_half() -> None:
    assert Backoff(8, 30, lambda: 0.999).next_pause() == pytest.approx(4, abs=0.01)
