"""Tries the broker for `placed doctor`: login and rights, without taking the daemon's place.

It comes with a client identifier of its own, and with a will that says nothing. It publishes on one topic
that nobody needs, and then as `topic_trial` does on those of the daemon. Nothing stays.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import aiomqtt
import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from placed.doctor.broker_topics import TopicTrial
from placed.doctor.report import of_problem
from placed.doctor.retained_replay import FAILED, KEEP, number_of, try_replays
from placed.doctor.topic_findings import judge_topics
from placed.domain.exit_errors import CannotStart
from placed.driver import Finding, Verdict
from placed.driver.diagnosis import blocked
from placed.mqtt.client import BrokerClient
from placed.mqtt.client_options import address_of, client_id_of
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.errors import TAKEN_OVER, no_qos_1, reason, why_lost
from placed.mqtt.oneshot import oneshot_options, trial_will
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.mqtt.errors import Trouble
    from placed.mqtt.messages import Message
    from placed.settings.schema import Mqtt

_CHECKS = ("broker", "publish", "subscribe")
_CONNECT = 40.0  # seconds for DNS, TCP, TLS and login together
_ECHO = 5.0  # seconds
_EXPIRY = 30  # seconds that a test message may live, should we be gone before it is cleared
_ERRORS = (aiomqtt.MqttError, OSError, TimeoutError, ValueError)
# Reason codes of a CONNACK that may be about the client identifier.
_CLIENT_ID, _NOT_AUTHORIZED, _NO_QOS = 0x85, 0x87, 0x9B


async def try_broker(
    settings: Mqtt | None,
    patience: float = _ECHO,
    *,
    topics: Topics | None = None,
    messages: Sequence[Message] = (),
) -> list[Finding]:
    """The findings `broker`, `publish` and `subscribe`. What names a key begins with it: `mqtt.url: …`.

    Args:
        settings: of the broker; None if there is none.
        patience: seconds for the broker to pass on what it has acknowledged.
        topics: of the daemon; those of the settings without Home Assistant if not given.
        messages: that the daemon will publish, one a topic; each is tried.
    """
    if settings is None:
        said = "no broker is configured, so nothing is published over MQTT"
        remedy = "set mqtt.url, if panels are to hear of the rooms"
        return [Finding.of("broker", Verdict.DOUBTFUL, said, remedy)]
    client_id = f"{client_id_of(settings)}-doctor"
    try:
        options = oneshot_options(settings, client_id)
    except CannotStart as error:
        mistakes = [of_problem("broker", problem) for problem in error.problems]
        return [*mistakes, *_wait(_CHECKS[1:], mistakes[0])]
    options["will"] = trial_will(settings)
    connection = BrokerClient(**options)
    try:
        await _open(connection)
    except TimeoutError:
        no_broker = _unreached(settings, "it takes too long")
        return [no_broker, *_wait(_CHECKS[1:], no_broker)]
    except (aiomqtt.MqttError, OSError, ValueError) as error:
        no_broker = _not_connected(settings, client_id, error, await diagnose(error, options))
        return [no_broker, *_wait(_CHECKS[1:], no_broker)]
    try:
        if not connection.takes_qos_1:
            no_broker = _refused(settings, no_qos_1())
            return [no_broker, *_wait(_CHECKS[1:], no_broker)]
        rights = await _Trial(settings, connection, patience).rights()
        if messages and all(finding.verdict is not Verdict.BAD for finding in rights):
            fresh_sign_in = TopicTrial(
                topics or Topics(settings.base_topic),
                messages,
                v5=settings.protocol == "5",
                connect=partial(_another, options),
                patience=patience,
            )
            rights = [*await _try_topics(fresh_sign_in, connection, rights[0]), *rights[1:]]
        return [_connected(settings, client_id), *rights]
    finally:
        await connection.close()


async def _open(connection: BrokerClient) -> None:
    async with asyncio.timeout(_CONNECT):
        await connection.open()


async def _another(options: dict[str, Any]) -> BrokerClient:
    connection = BrokerClient(**options)
    await _open(connection)
    return connection


async def _try_topics(fresh_sign_in: TopicTrial, connection: BrokerClient, publish: Finding) -> list[Finding]:
    """The findings `publish`; `publish` is what was found on the topic of the trial."""
    try:
        return judge_topics(await fresh_sign_in.run(connection), fresh_sign_in.topics, publish.said)
    except _ERRORS as error:
        return [_lost(error)]


# --- the connection -----------------------------------------------------------------------------------------


def _connected(settings: Mqtt, client_id: str) -> Finding:
    login = f", logged in as {settings.username}" if settings.username else ", without a login"
    said = f"{settings.url}: reached{login}; MQTT {settings.protocol}, client id {client_id}"
    return Finding.of("broker", Verdict.GOOD, said)


def _not_connected(settings: Mqtt, client_id: str, error: Exception, trouble: Trouble) -> Finding:
    problem = trouble.at(address_of(settings))
    if not problem.remedy:
        return _unreached(settings, trouble.problem.text)
    match reason(error):
        case code if code == _CLIENT_ID:
            remedy = f"have the broker let the client id {client_id} in, which only placed doctor comes with"
            text = f"{problem.text}; the daemon's own, {client_id_of(settings)}, can not be tried beside it"
            return Finding("broker", Verdict.DOUBTFUL, replace(problem, text=text, remedy=remedy))
        case code if code == _NOT_AUTHORIZED:
            remedy = f"{problem.remedy}, which have to let the client id {client_id} in, too"
            problem = replace(problem, remedy=remedy)
        case _:
            pass
    return Finding("broker", Verdict.BAD, problem)


def _refused(settings: Mqtt, trouble: Trouble) -> Finding:
    return Finding("broker", Verdict.BAD, trouble.at(address_of(settings)))


def _unreached(settings: Mqtt, told: str) -> Finding:
    address = address_of(settings)
    remedy = (
        f"see that the broker runs, that mqtt.url is its address, and that this machine reaches {address}"
    )
    return Finding.of("broker", Verdict.BAD, f"{address}: {told}", remedy, key="mqtt.url")


def _wait(checks: Sequence[str], broken: Finding) -> list[Finding]:
    waiting = [blocked(check, broken) for check in checks]
    if broken.verdict is Verdict.DOUBTFUL:
        return [msgspec.structs.replace(f, verdict=Verdict.DOUBTFUL) for f in waiting]
    return waiting


# --- rights -------------------------------------------------------------------------------------------------


class _Trial:
    """What we may do, logged in.

    MQTT 5 tells in the acknowledgement what is refused. Before, and where an access list is only looked at
    when a message is passed on, it shows by whether a message comes back.
    """

    def __init__(self, settings: Mqtt, connection: BrokerClient, patience: float) -> None:
        self._patience = patience
        self._v5 = settings.protocol == "5"
        self._topics = Topics(settings.base_topic)
        self._topic = f"{settings.base_topic}/bridge/doctor"
        self._connection = connection
        self._mark = secrets.token_hex(8)
        self._may = f"have the broker's access rules let this login {{}} {settings.base_topic}/#"

    async def rights(self) -> list[Finding]:
        """The findings `publish` and `subscribe`."""
        echo = asyncio.create_task(self._echo())
        try:
            unheard = await self._subscribe()
            publish = await self._publish(retain=False)
            publish = publish or await self._retain()
            came = False
            if publish is None and unheard is None:
                done, _ = await asyncio.wait([echo], timeout=self._patience)
                came = bool(done) and echo.exception() is None
        except _ERRORS as error:
            lost = _lost(error)
            return [lost, blocked("subscribe", lost)]
        finally:
            echo.cancel()
            await asyncio.wait([echo])
        findings = self._judge(publish, unheard, came=came)
        if not came:
            return findings
        properties = _expiring() if self._v5 else None
        try:
            return [
                *findings,
                *await try_replays(self._connection, self._topics.base, self._patience, properties),
            ]
        except _ERRORS as error:
            return [*findings, _lost(error)]

    def _judge(self, publish: Finding | None, unheard: Finding | None, *, came: bool) -> list[Finding]:
        told = Finding.of("publish", Verdict.GOOD, f"taken on {self._topic}, also retained")
        if publish is not None:
            return [publish, unheard or blocked("subscribe", publish)]
        if unheard is not None:
            return [told, unheard]
        if came:
            return [
                told,
                Finding.of("subscribe", Verdict.GOOD, f"what is published on {self._topic} comes back"),
            ]
        if self._v5:
            said = f"{self._topic} was subscribed to, and a message that was taken there did not come back"
            return [told, Finding.of("subscribe", Verdict.BAD, said, self._may.format("read"))]
        said = f"a message on {self._topic} did not come back: it may not be written there, or not be read"
        lost = Finding.of("publish", Verdict.BAD, said, self._may.format("write and read"))
        return [lost, blocked("subscribe", lost)]

    async def _subscribe(self) -> Finding | None:
        """To the topic of the trial, and to those that the daemon reads when it starts."""
        topics = [self._topic, self._topics.bridge_state, self._topics.rooms]
        codes = await self._connection.subscribe([(topic, 1) for topic in topics])
        await self._connection.unsubscribe(topics[1:])
        for topic, code in zip(topics, codes, strict=False):
            if number_of(code) >= FAILED:
                said = f"the broker does not let us subscribe to {topic}: {_told(code)}"
                return Finding.of("subscribe", Verdict.BAD, said, self._may.format("read"))
        return None

    async def _publish(self, *, retain: bool, payload: bytes | None = None) -> Finding | None:
        """A message; why it was refused, if MQTT 5 told."""
        if payload is None:
            payload = json.dumps({"trial": self._mark}).encode()
        properties = None
        if self._v5 and payload:
            properties = _expiring()
        refused = await self._connection.publish_qos1(
            self._topic, payload, retain=retain, properties=properties
        )
        if refused is None:
            return None
        said = f"the broker refuses what is published on {self._topic}: {_told(refused)}"
        return Finding.of("publish", Verdict.BAD, said, self._may.format("write"))

    async def _retain(self) -> Finding | None:
        """A retained message, which is cleared at once."""
        if not self._connection.retains:
            return Finding.of("publish", Verdict.BAD, "the broker keeps no retained messages", KEEP)
        try:
            return await self._publish(retain=True) or await self._publish(retain=True, payload=b"")
        except _ERRORS as error:
            said = f"the broker ends the connection at a retained message: {why_lost(error).problem.text}"
            return Finding.of("publish", Verdict.BAD, said, KEEP)

    async def _echo(self) -> None:
        """Until our message is back."""
        async for message in self._connection.messages:
            if message.topic.value == self._topic and self._mark.encode() in bytes(message.payload or b""):
                return


def _told(code: object) -> str:
    if isinstance(code, ReasonCode):
        return f"{code} (0x{code.value:02x})"
    return f"refused (0x{code:02x})" if isinstance(code, int) else str(code)


def _expiring() -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
    properties.MessageExpiryInterval = _EXPIRY
    return properties


def _lost(error: BaseException) -> Finding:
    """The broker ended the connection while we tried it."""
    number = reason(error.__cause__ or error)
    if number == TAKEN_OVER:
        remedy = "let one placed doctor end before the next begins"
    elif number == _NO_QOS:
        remedy = no_qos_1().problem.remedy
    else:
        remedy = "look into the broker's log for why it ended the connection of this client id"
    return Finding.of(
        "publish", Verdict.BAD, f"the broker ended the connection: {why_lost(error).problem.text}", remedy
    )
