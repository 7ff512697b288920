"""`placed doctor` at the broker: login and rights are tried beside a daemon that runs, and nothing stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor.broker_checks import check_broker
from placed.driver import Finding, Verdict
from placed.settings.output_settings import Mqtt
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port
from tests.support.mosquitto import Authority, Subscriber
from tests.support.publisher_setup import running
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.publisher_setup import PublisherSetup

    Start = Callable[..., Awaitable[Mosquitto]]

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


async def trial(broker: Mosquitto, patience: float = DEADLINE, **settings: Any) -> dict[str, Finding]:
    """What is found, by check; each once, and in order."""
    found = await check_broker(Mqtt.model_validate({"url": broker.url, **settings}), patience)
    assert [finding.check for finding in found] == ["broker", "publish", "subscribe"]
    return {finding.check: finding for finding in found}


def verdicts(found: dict[str, Finding]) -> list[Verdict]:
    return [finding.verdict for finding in found.values()]


def waits(finding: Finding, broken: Finding) -> bool:
    """It was not tried because of the other, and leads to the same step."""
    return (finding.verdict, finding.blocked_by, finding.remedy) == (BAD, broken.check, broken.remedy)


@PROTOCOLS
async def test_a_broker_that_lets_us_do_all_is_good(mosquitto: Mosquitto, protocol: str) -> None:
    found = await trial(mosquitto, protocol=protocol)
    assert verdicts(found) == [GOOD, GOOD, GOOD]
    assert f"MQTT {protocol}, client id placed-doctor" in found["broker"].text
    assert not any(finding.remedy for finding in found.values())


@PROTOCOLS
async def test_a_daemon_that_runs_is_not_disturbed_and_nothing_stays(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, protocol: str
) -> None:
    async with (
        running(publisher_setup.publisher(mosquitto)) as task,
        Subscriber(mosquitto, "placed/#") as panel,
    ):
        await panel.message("placed/bridge/state")
        await panel.caught_up()
        before = len(panel.arrivals)
        assert verdicts(await trial(mosquitto, protocol=protocol)) == [GOOD, GOOD, GOOD]
        await panel.caught_up()
        during = [a for a in panel.arrivals[before:] if a.topic.startswith("placed/bridge/")]
        assert {a.topic for a in during} <= {"placed/bridge/doctor"}  # no will, no take-over
        assert during[-1].payload == b""
        assert not task.done()
    async with Subscriber(mosquitto, "placed/bridge/doctor") as late:
        await late.caught_up()
    assert late.arrivals == []


async def test_topics_are_below_the_base_topic(mosquitto: Mosquitto) -> None:
    async with Subscriber(mosquitto, "#") as panel:
        found = await trial(mosquitto, base_topic="placed/hq")
        await panel.caught_up()
    assert "client id placed-hq-doctor" in found["broker"].text
    assert {arrival.topic for arrival in panel.arrivals} == {"placed/hq/bridge/doctor"}


async def test_tls_and_a_login_are_tried(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates")
    password = tmp_path / "password"
    write_secret(password, "hush-right")
    broker = await start(authority=authority, users={"placed": "hush-right"})
    login: dict[str, Any] = {"username": "placed", "password_file": password}
    found = await trial(broker, ca_file=authority.ca_file, **login)
    assert verdicts(found) == [GOOD, GOOD, GOOD]
    found = await trial(broker, **login)
    assert found["broker"].text.startswith(f"mqtt.ca_file: 127.0.0.1:{broker.port}: the broker's certificate")
    assert found["broker"].remedy == "set mqtt.ca_file to the CA that issued the broker's certificate"
    assert waits(found["publish"], found["broker"])
    assert waits(found["subscribe"], found["broker"])


@PROTOCOLS
async def test_a_login_that_is_refused_is_reported(start: Start, tmp_path: Path, protocol: str) -> None:
    password = tmp_path / "password"
    write_secret(password, "hush-wrong")
    broker = await start(users={"placed": "right"})
    found = await trial(broker, username="placed", password_file=password, protocol=protocol)
    assert found["broker"].text.startswith(f"mqtt.username: 127.0.0.1:{broker.port}: ")
    assert "check mqtt.username and mqtt.password_file" in found["broker"].remedy
    assert waits(found["publish"], found["broker"])
    assert waits(found["subscribe"], found["broker"])
    assert "hush" not in str(found)


async def test_a_broker_that_may_refuse_the_doctors_client_id_is_reported_with_that_id(start: Start) -> None:
    broker = await start(extra=["clientid_prefixes office-1-daemon"])
    found = await trial(broker, client_id="office-1")
    assert found["broker"].verdict is not GOOD
    assert "client id office-1-doctor" in found["broker"].remedy
    assert verdicts(await trial(await start(extra=["clientid_prefixes office-"]), client_id="office-1")) == [
        GOOD,
        GOOD,
        GOOD,
    ]


async def test_a_missing_broker_is_reported() -> None:
    port = free_port()
    broker, publish, subscribe = await check_broker(Mqtt(url=f"mqtt://127.0.0.1:{port}"))
    assert broker.verdict is BAD
    assert f"mqtt.url: 127.0.0.1:{port}: " in broker.text
    assert "check that the broker runs" in broker.remedy
    assert waits(publish, broker)
    assert waits(subscribe, broker)


async def test_a_missing_file_is_reported_before_any_attempt(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    settings = Mqtt(url="mqtts://127.0.0.1:1", username="placed", password_file=nothing, ca_file=nothing)
    *mistakes, publish, subscribe = await check_broker(settings)
    assert [mistake.text.partition(":")[0] for mistake in mistakes] == ["mqtt.password_file", "mqtt.ca_file"]
    assert {mistake.remedy for mistake in mistakes} == {"create it or correct the path"}
    assert waits(publish, mistakes[0])
    assert waits(subscribe, mistakes[0])


async def test_without_a_broker_that_is_a_matter_to_look_at() -> None:
    (broker,) = await check_broker(None)
    assert (broker.check, broker.verdict) == ("broker", DOUBTFUL)
    assert broker.remedy.startswith("set mqtt.url")


async def test_an_access_list_that_forbids_publishing_is_reported(start: Start) -> None:
    broker = await start(access=["topic read placed/#"])
    found = await trial(broker)
    assert verdicts(found) == [GOOD, BAD, BAD]
    assert "placed/bridge/doctor" in found["publish"].text
    assert found["publish"].remedy == "have the broker's access rules let this login write placed/#"
    assert waits(found["subscribe"], found["publish"])


async def test_an_access_list_that_forbids_subscribing_is_reported(start: Start) -> None:
    broker = await start(access=["topic write placed/#"])
    found = await trial(broker, patience=0.5)
    assert verdicts(found) == [GOOD, GOOD, BAD]
    assert found["subscribe"].remedy == "have the broker's access rules let this login read placed/#"
    assert not found["subscribe"].blocked_by


@pytest.mark.parametrize("access", ["topic write placed/#", "topic read placed/#"])
async def test_with_the_older_protocol_it_shows_by_what_does_not_come_back(start: Start, access: str) -> None:
    found = await trial(await start(access=[access]), patience=0.5, protocol="3.1.1")
    assert verdicts(found) == [GOOD, BAD, BAD]
    assert found["publish"].remedy == "have the broker's access rules let this login write and read placed/#"
    assert waits(found["subscribe"], found["publish"])


async def test_a_broker_without_retained_messages_is_reported(start: Start) -> None:
    found = await trial(await start(extra=["retain_available false"]))
    assert found["publish"].verdict is BAD
    assert "retained" in found["publish"].text
    assert found["publish"].remedy == "have the broker keep retained messages"
    assert waits(found["subscribe"], found["publish"])
