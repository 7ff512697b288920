"""A connection that is ended without a word: daemon and doctor name the same cause and remedy."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.doctor.broker_checks import check_broker
from placed.domain.exit_errors import CannotStart
from placed.driver import Verdict
from placed.mqtt import connect_probe
from placed.mqtt.client import timeouts
from placed.mqtt.client.connect_options import ConnectOptions
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client_options import Login
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.oneshot import try_login
from placed.settings.output_settings import Mqtt
from tests.component.mqtt.scripted_broker import LET_IN, UNKNOWN_VERSION, level, listening
from tests.component.mqtt.test_publisher import becomes
from tests.support.mosquitto import Authority
from tests.support.publisher_setup import running
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from placed.driver import Finding
    from tests.support.mosquitto import Mosquitto
    from tests.support.publisher_setup import PublisherSetup

    Start = Callable[..., Awaitable[Mosquitto]]

PROTOCOLS = pytest.mark.parametrize(("protocol", "other"), [("5", "3.1.1"), ("3.1.1", "5")])
LEVELS = {"5": 5, "3.1.1": 4}
IN_TLS = pytest.mark.parametrize("version", ["tlsv1.3", "tlsv1.2"])


@pytest.fixture(autouse=True)
def _hang_ups_are_noticed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "V311_CONNACK", 1.0)


async def named(publisher_setup: PublisherSetup, url: str, **settings: Any) -> Finding:
    """What the doctor finds, the daemon ends with at the start, and a reload is refused with: the same."""
    found = await check_broker(Mqtt.model_validate({"url": url, **settings}), wait=0.5)
    assert [finding.check for finding in found] == ["broker", "publish", "subscribe"]
    broker = found[0]
    assert broker.verdict is Verdict.BAD
    assert "wait a minute" not in broker.remedy
    publisher = publisher_setup.publisher(None, url=url, **settings)
    with pytest.raises(CannotStart) as refused:
        async with running(publisher):
            pass
    assert [problem.line for problem in refused.value.problems] == [f"{broker.text}; {broker.remedy}"]
    with pytest.raises(CannotStart) as stays:
        await try_login(Login.of(Mqtt.model_validate({"url": url, **settings})), None, connected=False)
    assert stays.value.problems == refused.value.problems
    return broker


# --- the other version of MQTT ------------------------------------------------------------------------------


@pytest.mark.slow  # with MQTT 3.1.1 the end is noticed after a time-out
@PROTOCOLS
async def test_a_broker_that_hangs_up_at_our_version_and_speaks_the_other(
    publisher_setup: PublisherSetup, protocol: str, other: str
) -> None:
    """As RabbitMQ 3.10 does at MQTT 5."""

    def answer(data: bytes, _count: int) -> bytes | None:
        found = level(data)
        return LET_IN[found] if found == LEVELS[other] else None

    async with listening(answer) as listener:
        found = await named(publisher_setup, listener.url, protocol=protocol)
    assert found.text.startswith("mqtt.protocol: ")
    assert f"MQTT {protocol}" in found.text
    assert found.remedy == f'set mqtt.protocol to "{other}"'


@pytest.mark.slow  # with MQTT 3.1.1 the end is noticed after a time-out
@PROTOCOLS
async def test_a_broker_that_refuses_our_version_names_the_other(
    publisher_setup: PublisherSetup, protocol: str, other: str
) -> None:
    async with listening(lambda _data, _count: UNKNOWN_VERSION) as listener:
        found = await named(publisher_setup, listener.url, protocol=protocol)
    assert found.remedy == f'set mqtt.protocol to "{other}"'


async def test_a_broker_that_does_not_answer_a_connect_with_a_will(monkeypatch: pytest.MonkeyPatch) -> None:
    """As amqtt at MQTT 5, which it reads as 3.1.1 and waits for more; it was a TimeoutError."""
    monkeypatch.setattr(connect_probe, "_WAIT", 0.3)

    def answer(data: bytes, _count: int) -> bytes:
        wants_will = data[data.index(b"MQTT") + 5] & 4
        return b"" if wants_will else UNKNOWN_VERSION if level(data) == 5 else LET_IN[4]

    async with listening(answer) as listener:
        trouble = await diagnose(late(), options(listener.port))
    assert trouble.problem.remedy == 'set mqtt.protocol to "3.1.1"'


async def test_what_never_answers_is_named_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_probe, "_WAIT", 0.2)
    async with listening(lambda _data, _count: b"") as listener:
        trouble = await diagnose(late(), options(listener.port))
    assert not trouble.problem.lasting
    assert "CONNECT is not answered" in trouble.problem.text
    assert 'set mqtt.protocol to "3.1.1"' in trouble.problem.remedy


@pytest.mark.slow  # with MQTT 3.1.1 the end is noticed after a time-out
@PROTOCOLS
async def test_a_broker_that_always_hangs_up_is_tried_again_with_a_hint(
    publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch, protocol: str, other: str
) -> None:
    monkeypatch.setattr(timeouts, "V311_CONNACK", 0.3)
    async with listening(lambda _data, _count: None) as listener:
        found, *_ = await check_broker(Mqtt.model_validate({"url": listener.url, "protocol": protocol}))
        assert found.verdict is Verdict.BAD
        assert f'set mqtt.protocol to "{other}"' in found.remedy
        publisher = publisher_setup.publisher(None, url=listener.url, protocol=protocol)
        with capture_logs() as log:
            async with running(publisher, published=False) as task:
                await becomes(lambda: publisher.last_error is not None)
                seen = len(listener.heard)
                await becomes(lambda: len(listener.heard) >= seen + 4)
                assert not task.done()
    # Only the first end is looked into: from then on every CONNECT is the daemon's own, with its will.
    assert all(b"bridge/state" in data for data in listener.heard[seen:])
    (reported,) = [entry for entry in log if entry["event"] == "broker.hung_up"]
    assert "at CONNECT" in reported["problem"]
    assert reported["remedy"] == found.remedy


async def test_a_broker_that_is_just_starting_is_not_taken_for_one_of_another_version() -> None:
    async with listening(lambda data, count: LET_IN[level(data) or 5] if count else None) as listener:
        trouble = await diagnose(MqttError("x"), options(listener.port))
        assert not trouble.problem.lasting
    async with listening(lambda data, count: LET_IN[level(data) or 5] if count > 2 else None) as listener:
        trouble = await diagnose(MqttError("x"), options(listener.port))
        assert not trouble.problem.lasting


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


@IN_TLS
async def test_a_client_certificate_that_is_missing(
    start: Start, publisher_setup: PublisherSetup, authority: Authority, version: str
) -> None:
    """In TLS 1.3 the alert follows the handshake, and what was sent meanwhile may reset the connection."""
    broker = await start(authority=authority, client_certificates=True, extra=[f"tls_version {version}"])
    for _ in range(3):
        found = await named(publisher_setup, broker.url, ca_file=authority.ca_file)
        assert found.text.startswith("mqtt.certificate: ")
        assert "requires a client certificate" in found.text
        assert found.remedy.startswith(
            "set mqtt.certificate and mqtt.key to a certificate that the broker trusts"
        )


@IN_TLS
async def test_a_client_certificate_of_another_ca(
    start: Start, publisher_setup: PublisherSetup, authority: Authority, tmp_path: Path, version: str
) -> None:
    broker = await start(authority=authority, client_certificates=True, extra=[f"tls_version {version}"])
    certificate, key = Authority(tmp_path / "others", "others").issue("placed.example")
    for _ in range(3):
        found = await named(
            publisher_setup, broker.url, ca_file=authority.ca_file, certificate=certificate, key=key
        )
        assert "does not know the CA that issued the client certificate" in found.text
        assert found.remedy == "set mqtt.certificate and mqtt.key to a certificate that the broker trusts"


@IN_TLS
async def test_a_client_certificate_that_has_expired(
    start: Start, publisher_setup: PublisherSetup, authority: Authority, tmp_path: Path, version: str
) -> None:
    broker = await start(authority=authority, client_certificates=True, extra=[f"tls_version {version}"])
    now = datetime.now(UTC)
    issued = authority.ca.issue_cert(
        "old.example", not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    certificate = tmp_path / "old.pem"
    write_secret(certificate, issued.private_key_and_cert_chain_pem.bytes())
    found = await named(publisher_setup, broker.url, ca_file=authority.ca_file, certificate=certificate)
    assert "the client certificate has expired" in found.text
    assert found.remedy == "renew it, and set mqtt.certificate and mqtt.key to the new one"


@pytest.mark.slow  # with MQTT 3.1.1 the end is noticed after a time-out
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("client_certificates", [False, True])
async def test_a_plain_url_to_a_port_that_speaks_tls(
    start: Start,
    publisher_setup: PublisherSetup,
    authority: Authority,
    protocol: str,
    *,
    client_certificates: bool,
) -> None:
    broker = await start(authority=authority, client_certificates=client_certificates)
    found = await named(publisher_setup, broker.url.replace("mqtts:", "mqtt:"), protocol=protocol)
    assert "speaks TLS" in found.text
    assert found.remedy.startswith("write mqtts:// in mqtt.url")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_tls_url_to_a_port_that_does_not(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, protocol: str
) -> None:
    found = await named(publisher_setup, mosquitto.url.replace("mqtt:", "mqtts:"), protocol=protocol)
    assert "without TLS" in found.text
    assert "(as a rule 8883), or write mqtt://" in found.remedy


async def test_a_login_is_never_sent_to_a_port_without_tls(
    publisher_setup: PublisherSetup, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    write_secret(password, "hush-secret")

    def answer(data: bytes, _count: int) -> bytes | None:
        return LET_IN[level(data) or 5] if level(data) else None

    async with listening(answer) as listener:
        url = listener.url.replace("mqtt:", "mqtts:")
        found = await named(publisher_setup, url, username="hush-user", password_file=password)
        assert "without TLS" in found.text
        assert listener.heard
        assert not any(b"hush" in data for data in listener.heard)


async def test_a_broker_that_speaks_other_versions_of_tls(authority: Authority) -> None:
    error = ssl.SSLError(1, "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:992)")
    failed = MqttError("x")
    failed.__cause__ = error
    trouble = await diagnose(failed, options(1, authority.context()))
    assert "no version of TLS" in trouble.problem.text
    assert trouble.problem.lasting


# --- what is no broker, or one that can do less ------------------------------------------------------------


@pytest.mark.slow  # real time: the doctor waits for an answer that does not come
@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a web server"),
        (b"AMQP\0\0\x09\x01", "AMQP"),
        (b'INFO {"server_id":"N"}\r\n', "NATS"),
        (b"220 mail.example\r\n", "something else"),
    ],
)
async def test_what_is_no_broker_is_named(
    publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch, greeting: bytes, kind: str
) -> None:
    monkeypatch.setattr(timeouts, "ANSWER", 0.3)  # the greeting may look like the beginning of a packet
    async with listening(lambda _data, _count: greeting) as listener:
        found = await named(publisher_setup, listener.url)
        assert kind in found.text
        assert found.remedy.startswith("set mqtt.url to the broker's MQTT port")
        secure = await named(publisher_setup, listener.url.replace("mqtt:", "mqtts:"))
        assert kind in secure.text


@pytest.mark.slow  # with MQTT 3.1.1 the end is noticed after a time-out
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_broker_that_accepts_only_qos_0(
    start: Start, publisher_setup: PublisherSetup, protocol: str
) -> None:
    broker = await start(extra=["max_qos 0"])
    found = await named(publisher_setup, broker.url, protocol=protocol)
    assert "QoS" in found.text
    assert found.remedy == "use a broker that does QoS 1"


async def test_a_broker_that_accepts_a_will_and_then_only_qos_0(publisher_setup: PublisherSetup) -> None:
    async with listening(lambda _data, _count: b"\x20\x05\0\0\x02\x24\0") as listener:
        found = await named(publisher_setup, listener.url)
    assert "QoS 0 alone" in found.text
    assert found.remedy == "use a broker that does QoS 1"


@pytest.mark.slow  # with MQTT 3.1.1 the end is noticed after a time-out
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_broker_that_keeps_no_retained_messages_ends_the_start(
    start: Start, publisher_setup: PublisherSetup, protocol: str
) -> None:
    """With MQTT 3.1.1 mosquitto does not answer the CONNECT, whose will is to be retained."""
    broker = await start(extra=["retain_available false"])
    publisher = publisher_setup.publisher(broker, protocol=protocol)
    with pytest.raises(CannotStart) as refused:
        async with running(publisher):
            pass
    (problem,) = refused.value.problems
    assert problem.remedy == "use a broker that keeps retained messages"


async def test_a_broker_that_accepts_a_will_and_then_keeps_nothing(publisher_setup: PublisherSetup) -> None:
    async with listening(lambda _data, _count: b"\x20\x05\0\0\x02\x25\0") as listener:
        publisher = publisher_setup.publisher(None, url=listener.url)
        with pytest.raises(CannotStart, match="keeps no retained messages") as refused:
            async with running(publisher):
                pass
        with pytest.raises(CannotStart) as stays:
            await try_login(Login.of(Mqtt.model_validate({"url": listener.url})), None, connected=False)
    assert stays.value.problems == refused.value.problems


# --- parts --------------------------------------------------------------------------------------------------


def options(port: int, context: ssl.SSLContext | None = None) -> ConnectOptions:
    return ConnectOptions("127.0.0.1", port, "x", tls=context)


def late() -> MqttError:
    """As a client reports that no CONNACK came."""
    error = MqttError("no answer in time")
    error.__cause__ = TimeoutError()
    return error
