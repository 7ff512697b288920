"""`docs/asyncapi.yaml` is a valid document of its version, and uses the program's own words."""

from __future__ import annotations

import json
import warnings
from importlib import import_module
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from placed.domain.action import Action, Outcome, Refusal
from placed.domain.calendar_event_detection import EventKind
from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.driver import Consent, FenceState
from placed.http.api import openapi
from placed.mqtt.client_factory import ClientFactory
from placed.mqtt.command_replies import HOLDS
from placed.mqtt.messages import EVENT_HOLDS, HEALTH_HOLDS, ONLINE_HOLDS, offline
from placed.mqtt.publisher_context import Timing
from placed.mqtt.topics import Topics
from placed.settings.output_settings import Mqtt
from tests.contracts.asyncapi_contract import Contract

CONTRACT = Contract.read()
DOCUMENT = CONTRACT.document
SCHEMAS = DOCUMENT["components"]["schemas"]


def nodes(node: Any) -> list[Any]:
    """Every table in the document."""
    inner = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    return [*([node] if isinstance(node, dict) else []), *(n for i in inner for n in nodes(i))]


def parsed(document: Any) -> Any:
    """The document as a strict reader of AsyncAPI 3.0 takes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reader's own fields shadow names of pydantic
        models = import_module("asyncapi3.models")

    return models.AsyncAPI3.model_validate(document)


def test_it_is_asyncapi_3() -> None:
    parsed(DOCUMENT)


@pytest.mark.parametrize("mistake", ["adress", "x y"])
def test_what_is_no_asyncapi_would_be_noticed(mistake: str) -> None:
    channels = {"index": {**DOCUMENT["channels"]["index"], mistake: "placed/rooms"}}
    with pytest.raises(ValidationError):
        parsed({**DOCUMENT, "channels": channels})


def test_every_reference_leads_somewhere() -> None:
    found = [node for node in nodes(DOCUMENT) if "$ref" in node]
    assert found
    for node in found:
        CONTRACT.resolve(node)


def test_the_schemas_are_schemas_and_each_is_used() -> None:
    used = {node["$ref"].removeprefix("#/components/schemas/") for node in nodes(DOCUMENT) if "$ref" in node}
    for name, schema in SCHEMAS.items():
        jsonschema.Draft7Validator.check_schema(schema)
        assert name in used


def test_beside_a_reference_stands_nothing_that_a_reader_would_pass_over() -> None:
    assert [node for node in nodes(DOCUMENT) if "$ref" in node and len(node) > 1] == []


def test_every_message_of_every_channel_is_sent_by_one_operation_but_for_those_of_others() -> None:
    described = {(name, message) for name, c in DOCUMENT["channels"].items() for message in c["messages"]}
    sent = [
        (described_message.channel, described_message.message)
        for described_message in CONTRACT.described_messages
    ]
    assert len(set(sent)) == len(sent)
    others = {("homeAssistantBirth", "birth"), ("roomCommand", "command"), ("roomPanel", "panel")}
    assert described - set(sent) == others
    received = [op["channel"]["$ref"] for op in DOCUMENT["operations"].values() if op["action"] == "receive"]
    assert "#/channels/homeAssistantBirth" in received


def test_examples_are_as_described() -> None:
    examples = [
        (message["payload"], example["payload"])
        for message in DOCUMENT["components"]["messages"].values()
        for example in message.get("examples", [])
    ]
    assert examples
    for schema, payload in examples:
        assert CONTRACT.problems(schema, payload) == []


def test_the_words_are_those_of_the_program() -> None:
    assert SCHEMAS["StatusWord"]["enum"] == list(Status)
    assert SCHEMAS["Reason"]["enum"] == list(Reason)
    assert SCHEMAS["RefusalReason"]["enum"] == list(Refusal)
    assert SCHEMAS["Reply"]["properties"]["outcome"]["enum"] == list(Outcome)
    assert DOCUMENT["components"]["parameters"]["action"]["enum"] == list(Action)
    connection = SCHEMAS["Connection"]["properties"]
    assert connection["state"]["enum"] == list(ConnectionState)
    assert connection["consent"]["enum"] == list(Consent)
    assert SCHEMAS["Fence"]["properties"]["state"]["enum"] == list(FenceState)
    reported = [SCHEMAS[name]["properties"]["event"] for name in ("MeetingEvent", "KnowledgeEvent")]
    words = [word for event in reported for word in event["enum"]]
    words += [SCHEMAS[name]["properties"]["event"]["const"] for name in ("MovedEvent", "NoShowEvent")]
    assert sorted(words) == sorted(EventKind)


def test_the_times_are_those_of_the_program() -> None:
    expiry = {s.operation: s.delivery.get("messageExpiryInterval") for s in CONTRACT.described_messages}
    assert expiry["publishOnline"] == ONLINE_HOLDS.total_seconds()
    assert expiry["publishHealth"] == HEALTH_HOLDS.total_seconds()
    assert expiry["replyInRoom"] == expiry["replyToSender"] == HOLDS
    assert expiry["publishEvent"] == EVENT_HOLDS.total_seconds()


def test_the_connection_and_its_will_are_those_of_the_program() -> None:
    described = DOCUMENT["servers"]["broker"]["bindings"]["mqtt"]
    epoch = json.loads(described["lastWill"]["message"])["epoch"]
    timing = Timing()
    will = offline(Topics("placed"), epoch, "0a1b2c3d")
    options = ClientFactory(Mqtt(url="mqtt://broker.example"), will, timing.will_delay)._options
    assert options.client_id == described["clientId"]
    assert options.clean_start is described["cleanSession"]
    assert options.keep_alive == described["keepAlive"]
    assert options.session_expiry == described["sessionExpiryInterval"]
    assert options.largest_incoming == described["maximumPacketSize"]
    reported = options.will
    assert reported is not None
    assert described["lastWill"] == {
        "topic": reported.topic,
        "qos": 1,  # of everything that the clients publish
        "retain": reported.retain,
        "message": reported.payload.decode(),
    }
    assert f"{timing.will_delay:.0f} s after" in DOCUMENT["channels"]["bridgeState"]["description"]


def test_mqtt_and_http_describe_the_same() -> None:
    """Members and the words that they may have; the room of HTTP has four members more."""
    http = json.loads(openapi.description("1"))["components"]["schemas"]
    for ours, theirs in (("Connection", "Connection"), ("Meeting", "Meeting"), ("State", "Room")):
        here, there = SCHEMAS[ours], http[theirs]
        more = {"building", "floor", "capacity", "time_zone"} if ours == "State" else set()
        assert set(there["properties"]) == set(here["properties"]) | more
        assert set(there["required"]) == set(here["required"]) | more
    assert http["Status"]["enum"] == SCHEMAS["StatusWord"]["enum"]
    assert http["Reason"]["enum"] == SCHEMAS["Reason"]["enum"]
