"""Every broker that is available here does what docs/brokers.md states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiomqtt
import pytest

from placed.mqtt.client.mqtt_error import MqttError
from tests.end_to_end.brokers.broker_checks import PROTOCOLS, tried
from tests.end_to_end.brokers.broker_software import ALL, MissingError, Software
from tests.end_to_end.brokers.brokers_page import PAGE, WORDS
from tests.support.client_conformance import (
    CHECKS,
    another_client_with_the_same_identifier_ends_the_connection,
    conforms,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.brokers.broker_checks import Protocol


def promised(name: str, protocol: Protocol) -> dict[str, str]:
    """The results on the page, by trial; empty for a broker with which placed does not work."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    (head,) = [row for row in rows if row[0] == "what was tried"]
    column = f"{name}, {protocol}"
    if column not in head:
        return {}
    reported = {row[0]: row[head.index(column)] for row in rows[rows.index(head) :]}
    return {trial: reported[words] for trial, words in WORDS.items()}


# What a broker does otherwise than MQTT demands, so that a client cannot conform.
UNUSUAL = {
    ("amqtt", another_client_with_the_same_identifier_ends_the_connection),  # it keeps both connections
}


@pytest.mark.brokers
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("software", ALL, ids=lambda software: software.name)
async def test_our_client_conforms_at_a_broker(
    software: type[Software], protocol: Protocol, tmp_path: Path
) -> None:
    if not promised(software.name, protocol):
        pytest.skip(f"placed does not work with MQTT {protocol} there")
    broker = software(tmp_path / "broker")
    failed: dict[str, str] = {}
    try:
        await broker.start()
        for check in CHECKS:
            if (software.name, check) not in UNUSUAL:
                try:
                    await conforms(check, broker.port, protocol)
                except (AssertionError, MqttError, aiomqtt.MqttError) as error:
                    failed[check.__name__] = str(error)
    except MissingError as reason:
        pytest.skip(str(reason))
    finally:
        await broker.stop()
    assert failed == {}


@pytest.mark.brokers
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("software", ALL, ids=lambda software: software.name)
async def test_a_broker_behaves_as_its_page_describes(
    software: type[Software], protocol: Protocol, tmp_path: Path
) -> None:
    broker = software(tmp_path / "broker")
    try:
        version = broker.version
        await broker.start()
        record = await tried(broker, protocol, tmp_path)
    except MissingError as reason:
        pytest.skip(str(reason))
    finally:
        await broker.stop()
    output = promised(software.name, protocol)
    if f"| {software.name} | {version} " not in PAGE.read_text("utf-8"):
        pytest.skip(f"the page is about another version than {version}")
    if not output:
        other = {"5": "3.1.1", "3.1.1": "5"}[protocol]
        assert record.refused is not None
        assert record.refused.endswith(f'; set mqtt.protocol to "{other}"')
        return
    words = {True: "yes", False: "**no**", None: "-"}
    assert {trial: words[passed] for trial, passed in record.passed.items()} == output
    assert any("wildcard" in finding for finding in record.doctor) is (output["retained, by `+`"] == "**no**")


def test_the_page_is_about_every_broker() -> None:
    page = PAGE.read_text("utf-8")
    for software in ALL:
        assert f"| {software.name} | " in page, software.name
    assert promised("mosquitto", "5").keys() == WORDS.keys()
    assert promised("mosquitto", "5")["expiry"] == "yes"
    assert promised("RabbitMQ", "3.1.1")["retained, by `+`"] == "**no**"
    assert promised("RabbitMQ", "5") == {}
