"""The descriptions of `docs/asyncapi.yaml`, and whether a message matches its description."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.mosquitto import Arrival

FILE = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
TEXT = "text/plain"
MANY_LEVELS = {"base", "prefix", "panel"}  # parameters that may have a / in them


def closed(node: Any) -> Any:
    """The same schemas, letting nothing in that is not described. Readers have to let more in; we do not."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        new["additionalProperties"] = False
    return new


@dataclass(frozen=True, slots=True, eq=False)
class DescribedMessage:
    """One kind of message on a channel, and the operation that sends it."""

    operation: str
    channel: str
    message: str
    address: re.Pattern[str]
    content: dict[str, Any]  # the Message Object
    delivery: dict[str, Any]  # the operation's binding for MQTT

    def __str__(self) -> str:
        return f"{self.operation}: {self.message} on {self.channel}"


class Contract:
    """The document.

    Args:
        document: as it is in the file.
    """

    def __init__(self, document: Any) -> None:
        self.document = document
        self.described_messages = tuple(self._described_messages())
        self._components = closed(document["components"])

    @classmethod
    def read(cls) -> Contract:
        """The one of this repository."""
        return cls(yaml.safe_load(FILE.read_text("utf-8")))

    def resolve(self, node: Any) -> Any:
        """What a reference points to; anything else is itself."""
        while isinstance(node, dict) and "$ref" in node:
            node = self.at(node["$ref"])
        return node

    def at(self, reference: str) -> Any:
        """What a reference points to, be it another reference."""
        found = self.document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return found

    def problems(self, schema: Any, instance: Any) -> list[str]:
        """Why an instance is not what the schema describes, or is more."""
        whole = {"allOf": [closed(schema)], "components": self._components}
        validator = jsonschema.Draft7Validator(whole)
        return [
            f"{e.json_path}: {e.message}"
            for found in validator.iter_errors(instance)
            for e in (jsonschema.exceptions.best_match([found]) or found,)
        ]

    def recognise(self, arrival: Arrival, *, v5: bool = True) -> DescribedMessage:
        """Which of the described messages it is.

        Raises:
            AssertionError: it is none, and why.
        """
        nearest: list[str] = []
        for described_message in self.described_messages:
            if described_message.address.fullmatch(arrival.topic):
                found = list(self._differences(described_message, arrival, v5=v5))
                if not found:
                    return described_message
                nearest.append(f"as {described_message}: {'; '.join(found)}")
        reported = "\n".join(nearest) or "no channel has this topic"
        raise AssertionError(f"{arrival.topic} {arrival.payload!r} is not described.\n{reported}")

    def recognise_command(self, topic: str, payload: bytes) -> bool:
        """Whether a message is a command as it is described."""
        channel = self.document["channels"]["roomCommand"]
        schema = self.resolve(channel["messages"]["command"])["payload"]
        return bool(self._pattern(channel).fullmatch(topic)) and not self.problems(
            schema, json.loads(payload)
        )

    def hold(self, arrivals: Iterable[Arrival], *, v5: bool = True) -> set[DescribedMessage]:
        """The descriptions of these messages; AssertionError if one is not described."""
        return {self.recognise(arrival, v5=v5) for arrival in arrivals}

    # --- inside ---

    def _described_messages(self) -> Iterator[DescribedMessage]:
        for name, operation in self.document["operations"].items():
            if operation["action"] != "send":
                continue
            channel = self.resolve(operation["channel"])
            for reference in operation["messages"]:
                message = reference["$ref"].rpartition("/")[2]
                yield DescribedMessage(
                    operation=name,
                    channel=operation["channel"]["$ref"].rpartition("/")[2],
                    message=message,
                    address=self._pattern(channel),
                    content=self.resolve(reference),
                    delivery=operation["bindings"]["mqtt"],
                )

    def _pattern(self, channel: Any) -> re.Pattern[str]:
        """What topics have the channel's address."""
        parameters = channel.get("parameters", {})
        parts = re.split(r"\{(\w+)\}", channel["address"])
        assert set(parts[1::2]) == set(parameters)
        values = (".+?" if name in MANY_LEVELS else "[^/]+" for name in parts[1::2])
        text = [re.escape(part) for part in parts[::2]]
        return re.compile(text[0] + "".join(a + b for a, b in zip(values, text[1:], strict=True)))

    def _differences(
        self, described_message: DescribedMessage, arrival: Arrival, *, v5: bool
    ) -> Iterator[str]:
        content = described_message.content
        kind = content.get("contentType", self.document["defaultContentType"])
        try:
            payload = arrival.text if kind == TEXT else json.loads(arrival.payload)
        except ValueError as error:
            yield f"no {kind}: {error}"
            return
        yield from self.problems(content["payload"], payload)
        delivery = described_message.delivery
        if arrival.qos != delivery["qos"]:
            yield f"QoS {arrival.qos}, expected {delivery['qos']}"
        if arrival.retain is not delivery.get("retain", arrival.retain):
            yield f"retain {arrival.retain}"
        properties = {k: v for k, v in arrival.properties.items() if k[0].isupper()}
        if v5:
            yield from self._unlike(described_message, properties)
        elif properties:
            yield f"{properties}, expected none in MQTT 3.1.1"

    def _unlike(self, described_message: DescribedMessage, properties: dict[str, Any]) -> Iterator[str]:
        """What is wrong with the properties of MQTT 5."""
        binding = self.resolve(described_message.content.get("bindings", {})).get("mqtt", {})
        for ours, theirs in (
            ("payloadFormatIndicator", "PayloadFormatIndicator"),
            ("contentType", "ContentType"),
        ):
            found = properties.pop(theirs, None)
            if found != binding.get(ours):
                yield f"{theirs} is {found!r}, expected {binding.get(ours)!r}"
        if "correlationData" in binding:
            properties.pop("CorrelationData", None)
        headers = dict(properties.pop("UserProperty", []))
        yield from self.problems(described_message.content.get("headers", {"const": {}}), headers)
        expiry, expected = (
            properties.pop("MessageExpiryInterval", None),
            described_message.delivery.get("messageExpiryInterval"),
        )
        if expected is None and expiry is not None:
            yield f"expires after {expiry} s, expected never"
        elif expected is not None and expiry is None:
            yield "never expires"
        elif isinstance(expected, int) and not 0 < expiry <= expected:
            yield f"expires after {expiry} s, expected at most {expected}"
        elif isinstance(expected, dict):
            yield from self.problems(expected, expiry)
        if properties:
            yield f"properties that are not described: {sorted(properties)}"
