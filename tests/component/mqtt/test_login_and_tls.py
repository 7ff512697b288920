"""Logins and certificates: what is refused for good ends the start; what was good before is tried again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.exit_errors import CannotStart
from tests.component.mqtt.test_publisher import becomes
from tests.support.mosquitto import Authority, Subscriber
from tests.support.publisher_setup import IMPATIENT, running
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.publisher_setup import PublisherSetup

    Start = Callable[..., Awaitable[Mosquitto]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    write_secret(path, "right\n")
    return path


# --- TLS ----------------------------------------------------------------------------------------------------


async def test_a_broker_of_a_private_ca_is_trusted(
    start: Start, publisher_setup: PublisherSetup, authority: Authority
) -> None:
    broker = await start(authority=authority)
    async with (
        running(publisher_setup.publisher(broker, ca_file=authority.ca_file)),
        Subscriber(broker, "placed/rooms/+/state") as late,
    ):
        await late.caught_up()
    assert len(late.latest) == 2


async def test_a_broker_of_another_ca_is_not(
    start: Start, publisher_setup: PublisherSetup, authority: Authority
) -> None:
    broker = await start(authority=authority)
    with pytest.raises(CannotStart, match=r"^mqtt\.ca_file: 127\.0\.0\.1:\d+: the broker's certificate: "):
        async with running(publisher_setup.publisher(broker)):
            pass


async def test_a_certificate_for_another_host_is_refused(
    start: Start, publisher_setup: PublisherSetup, authority: Authority
) -> None:
    broker = await start(authority=authority, names=("elsewhere.example",))
    with pytest.raises(
        CannotStart, match=r"^mqtt\.url: .* use the name that the broker's certificate is for"
    ):
        async with running(publisher_setup.publisher(broker, ca_file=authority.ca_file)):
            pass


async def test_a_client_certificate_lets_us_in(
    start: Start, publisher_setup: PublisherSetup, authority: Authority
) -> None:
    broker = await start(authority=authority, client_certificates=True)
    certificate, key = authority.issue("placed.example")
    publisher = publisher_setup.publisher(broker, ca_file=authority.ca_file, certificate=certificate, key=key)
    async with running(publisher):
        assert publisher.connected


async def test_without_a_client_certificate_the_start_fails(
    start: Start, publisher_setup: PublisherSetup, authority: Authority
) -> None:
    broker = await start(authority=authority, client_certificates=True)
    with pytest.raises(CannotStart, match=r"^mqtt\.certificate: .*set mqtt\.certificate and mqtt\.key"):
        async with running(publisher_setup.publisher(broker, ca_file=authority.ca_file)):
            pass


async def test_with_a_client_certificate_of_another_ca_the_start_fails(
    start: Start, publisher_setup: PublisherSetup, authority: Authority, tmp_path: Path
) -> None:
    broker = await start(authority=authority, client_certificates=True)
    certificate, key = Authority(tmp_path / "others", "others").issue("placed.example")
    publisher = publisher_setup.publisher(broker, ca_file=authority.ca_file, certificate=certificate, key=key)
    with pytest.raises(CannotStart, match=r"^mqtt\.certificate: "):
        async with running(publisher):
            pass


# --- login --------------------------------------------------------------------------------------------------


async def test_it_logs_in(start: Start, publisher_setup: PublisherSetup, password: Path) -> None:
    broker = await start(users={"placed": "right"})
    publisher = publisher_setup.publisher(broker, username="placed", password_file=password)
    async with running(publisher):
        assert publisher.connected


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_with_a_wrong_password_the_start_fails(
    start: Start, publisher_setup: PublisherSetup, password: Path, protocol: str
) -> None:
    broker = await start(users={"placed": "another"})
    with pytest.raises(CannotStart, match=r"^mqtt\.username: .*check mqtt\.username") as refused:
        async with running(
            publisher_setup.publisher(broker, username="placed", password_file=password, protocol=protocol)
        ):
            pass
    assert "right" not in str(refused.value)


async def test_a_login_that_was_good_once_is_tried_again(
    start: Start, publisher_setup: PublisherSetup, password: Path
) -> None:
    broker = await start(users={"placed": "right"})
    publisher = publisher_setup.publisher(broker, username="placed", password_file=password)
    with capture_logs() as log:
        async with running(publisher) as task:
            await broker.kill()
            broker.users({"placed": "another"})
            await broker.start()
            await broker.wait_for_line("not authorised")
            await becomes(lambda: "Not authorized" in (publisher.last_error or ""))
            assert not task.done()
            broker.users({"placed": "right"})
            broker.reload()
            await becomes(lambda: publisher.connected)
    events = [entry["event"] for entry in log]
    assert events.count("broker.refused_login") == 1
    assert "right" not in repr(log)


async def test_a_broker_that_forbids_our_topics_is_reported(
    start: Start, publisher_setup: PublisherSetup
) -> None:
    broker = await start(
        access=["topic read #", "topic readwrite tests/#", "topic write placed/rooms/library/#"]
    )
    # What is refused is collected until the end, however slowly the broker answers: in one line then.
    publisher = publisher_setup.publisher(broker, timing=replace(IMPATIENT, debounce=3600.0))
    with capture_logs() as log:
        async with running(publisher, published=False):
            await becomes(lambda: publisher.messages_refused["not_authorized"] >= 8)
            await becomes(lambda: publisher.messages_published >= 4)
            assert "access rules" in (publisher.last_error or "")
            assert not publisher.first_published.is_set()
    assert [entry["event"] for entry in log].count("broker.refused_messages") == 1


async def test_with_a_forbidden_client_id_the_start_fails(
    start: Start, publisher_setup: PublisherSetup
) -> None:
    broker = await start(extra=["clientid_prefixes office-"])
    with pytest.raises(CannotStart, match=r"^mqtt\."):
        async with running(publisher_setup.publisher(broker)):
            pass
    publisher = publisher_setup.publisher(broker, client_id="office-1")
    async with running(publisher):
        assert publisher.connected


# --- files --------------------------------------------------------------------------------------------------


async def test_all_invalid_files_are_named(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.touch(mode=0o600)
    missing = tmp_path / "missing"
    with pytest.raises(CannotStart) as refused:
        publisher_setup.publisher(
            mosquitto,
            url="mqtts://broker.example",
            username="placed",
            password_file=empty,
            ca_file=missing,
            certificate=missing,
        )
    assert [problem.line for problem in refused.value.problems] == [
        f"mqtt.password_file: {empty}: is empty; write the password on one line",
        f"mqtt.ca_file: {missing}: there is no such file; create it or correct the path",
        f"mqtt.certificate: {missing}: there is no such file; create it or correct the path",
    ]


async def test_a_ca_file_without_a_certificate_is_refused(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, tmp_path: Path
) -> None:
    for content in (b"", b"no certificate", b"\x00\xff"):
        ca_file = tmp_path / "ca"
        ca_file.write_bytes(content)
        with pytest.raises(CannotStart, match=r"^mqtt\.ca_file: .*: holds no certificate"):
            publisher_setup.publisher(mosquitto, url="mqtts://broker.example", ca_file=ca_file)


async def test_a_key_of_another_certificate_is_refused(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, authority: Authority
) -> None:
    certificate, _ = authority.issue("placed.example")
    _, key = authority.issue("other.example")
    with pytest.raises(CannotStart, match=r"^mqtt\.key: .*other\.example\.key: is not the key of "):
        publisher_setup.publisher(mosquitto, url="mqtts://broker.example", certificate=certificate, key=key)
    with pytest.raises(CannotStart, match=r"^mqtt\.certificate: .*is not a PEM certificate"):
        publisher_setup.publisher(mosquitto, url="mqtts://broker.example", certificate=certificate)


async def test_settings_without_effect_are_refused(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, password: Path
) -> None:
    with pytest.raises(CannotStart) as refused:
        publisher_setup.publisher(mosquitto, password_file=password, ca_file=password)
    assert [problem.key for problem in refused.value.problems] == [
        "mqtt.password_file",
        "mqtt.ca_file",
    ]
