"""Commands of panels on their way, over MQTT and HTTP; who has no answer sends the same key again.

They share no code with what answers: topics and payloads are those of `docs/actions.md`.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.free_ports import HOST

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from tests.fault_injection.action_oracle import ActionOracle, Press
    from tests.fault_injection.shared_clock import SharedClock

TOKEN = "hands-of-the-campaign"
_NO_ANSWER = aiohttp.ClientError, TimeoutError, ValueError
_AGAIN = 0.2  # seconds between two attempts to reach the broker
_WITHOUT_AN_ANSWER = 5.0  # seconds after which a panel sends its command again, with the same key
_RECENT = timedelta(seconds=20)
_PATIENCE = aiohttp.ClientTimeout(total=5.0)


@dataclass(frozen=True, slots=True)
class PanelCommand:
    """What is sent."""

    press: Press
    issued_at: datetime
    retained: bool = False
    response_topic: str | None = None

    @property
    def payload(self) -> dict[str, str | None]:
        """As JSON over MQTT."""
        press = self.press
        return {
            "key": press.key,
            "issued_at": _text(self.issued_at),
            "meeting": _text(press.meeting),
            "until": _text(press.until),
        }


class CommandSender:
    """Sends commands, and passes replies on to the oracle.

    Args:
        port: of the broker.
        endpoint: the port of the status endpoint.
        clock: shared with the daemon.
        oracle: is given every command and reply.
        chance: how a command is sent, and how often.

    Attributes:
        listening: set while replies over MQTT arrive.
    """

    def __init__(
        self, port: int, endpoint: int, clock: SharedClock, oracle: ActionOracle, chance: random.Random
    ) -> None:
        self._port = port
        self._url = f"http://{HOST}:{endpoint}/api/v1"
        self._clock = clock
        self._oracle = oracle
        self._chance = chance
        self._client: aiomqtt.Client | None = None
        self.listening = asyncio.Event()

    async def send(self, command: PanelCommand) -> None:
        """Sends a command as a panel does, until it has its outcome; one in four twice, as QoS 1 may."""
        chance, press = self._chance, command.press
        self._oracle.press(press)
        by_http = not command.retained and command.response_topic is None and chance.random() < 0.5
        by_http = by_http and command.issued_at >= self._clock.now() - _RECENT
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            for number in range(chance.choice((1, 1, 1, 2, 3))):
                if number:
                    await asyncio.sleep(chance.uniform(0.0, 2.0))
                await self._send_once(session, command, by_http=by_http)
            while press.final is None:
                await asyncio.sleep(_WITHOUT_AN_ANSWER)
                if press.forbidden and not press.replies:
                    return  # what must not be done may stay without any answer
                if press.final is None:
                    await self._send_once(session, command, by_http=by_http)

    async def publish(self, command: PanelCommand) -> None:
        """Sends a command over MQTT; waits until the broker has it, if there is one."""
        client, press = self._client, command.press
        if client is None:
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if command.response_topic is not None:
            properties.ResponseTopic = command.response_topic
            properties.CorrelationData = press.key.encode()
        topic = f"placed/rooms/{press.room}/command/{press.action}"
        payload = json.dumps(command.payload)
        with suppress(aiomqtt.MqttError):
            await client.publish(topic, payload, qos=1, retain=command.retained, properties=properties)
            if command.retained:
                await client.publish(topic, b"", qos=1, retain=True)  # else it stays for ever

    async def listen(self) -> None:
        """Takes in everything that is published, for ever."""
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(HOST, self._port, protocol=aiomqtt.ProtocolVersion.V5) as client:
                    await client.subscribe("#", qos=0)
                    self._client = client
                    self.listening.set()
                    try:
                        async for message in client.messages:
                            self._hear(str(message.topic), message.payload)
                    finally:
                        self._client = None
                        self.listening.clear()
            await asyncio.sleep(_AGAIN)

    # --- internals ---

    async def _send_once(
        self, session: aiohttp.ClientSession, command: PanelCommand, *, by_http: bool
    ) -> None:
        command.press.times_sent += 1
        if by_http:
            await self._post(session, command.press)
        else:
            await self.publish(command)

    async def _post(self, session: aiohttp.ClientSession, press: Press) -> None:
        body = {"action": press.action, "meeting": _text(press.meeting), "until": _text(press.until)}
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": press.key}
        accepted = False
        with suppress(*_NO_ANSWER):
            async with session.post(
                f"{self._url}/rooms/{press.room}/actions", json=body, headers=headers
            ) as response:
                answer = await response.json(content_type=None)
                accepted = response.status == 202
                self._take(press.key, response.status, answer)
        if accepted:
            await self._follow(session, press, headers)

    async def _follow(self, session: aiohttp.ClientSession, press: Press, headers: dict[str, str]) -> None:
        """Asks for the outcome until it is known, or the command is not."""
        while press.final is None:
            await asyncio.sleep(1.0)
            with suppress(*_NO_ANSWER):
                async with session.get(f"{self._url}/actions/{press.key}", headers=headers) as response:
                    if response.status == 404:  # the daemon was killed before it began with it
                        return
                    self._take(press.key, response.status, await response.json(content_type=None))

    def _take(self, key: str, status: int, answer: dict[str, Any]) -> None:
        if "outcome" in answer:
            self._oracle.reply(key, answer["outcome"], answer.get("reason"))
        elif status == 409:
            self._oracle.reply(key, "refused", answer.get("reason"))

    def _hear(self, topic: str, payload: object) -> None:
        if not isinstance(payload, bytes) or b'"outcome"' not in payload:
            return
        answer = json.loads(payload)
        parts = topic.split("/")
        if parts[:2] != ["placed", "responses"] and not (
            len(parts) == 4 and parts[1] == "rooms" and parts[3] == "response"
        ):
            self._oracle.reply_elsewhere(topic)
        self._oracle.reply(answer["key"], answer["outcome"], answer.get("reason"))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
