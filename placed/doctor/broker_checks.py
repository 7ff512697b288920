"""Checks the broker for `placed doctor`: the login, the rights, and every topic of the daemon.

It has its own client identifier and an empty will, so that it does not take the daemon's place. Nothing that
it publishes stays at the broker.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from placed.doctor.broker_rights import ERRORS, BrokerRights, lost_finding
from placed.doctor.daemon_topic_trial import TopicTrial
from placed.doctor.daemon_topic_trial_findings import judge_topics
from placed.doctor.report import of_problem
from placed.domain.exit_errors import CannotStart
from placed.driver import Finding, Verdict
from placed.driver.shared_findings import blocked
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client_options import address_of, client_id_of
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.connection_problems import no_qos_1, reason
from placed.mqtt.oneshot import oneshot_options, trial_will
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.connection_problems import Trouble
    from placed.mqtt.messages import Message
    from placed.settings.output_settings import Mqtt

_CHECKS = ("broker", "publish", "subscribe")
_CONNECT = 40.0  # seconds for DNS, TCP, TLS and login together
_FORWARD = 5.0  # seconds for the broker to forward a message
# Reason codes of a CONNACK that may be about the client identifier.
_CLIENT_ID, _NOT_AUTHORIZED = 0x85, 0x87


async def check_broker(
    settings: Mqtt | None,
    wait: float = _FORWARD,
    *,
    topics: Topics | None = None,
    messages: Sequence[Message] = (),
) -> list[Finding]:
    """Returns the findings `broker`, `publish` and `subscribe`.

    Args:
        settings: of the broker; None if there is none.
        wait: seconds for the broker to forward a message that it has acknowledged.
        topics: of the daemon; by default those of the settings without Home Assistant.
        messages: those that the daemon will publish, one for each topic; each is tried.
    """
    if settings is None:
        text = "no broker is configured, so nothing is published over MQTT"
        remedy = "set mqtt.url to publish over MQTT"
        return [Finding.of("broker", Verdict.DOUBTFUL, text, remedy)]
    client_id = f"{client_id_of(settings)}-doctor"
    try:
        options = replace(oneshot_options(settings, client_id), will=trial_will(settings))
    except CannotStart as error:
        mistakes = [of_problem("broker", problem) for problem in error.problems]
        return [*mistakes, *_wait(_CHECKS[1:], mistakes[0])]
    client = new_client(options)
    try:
        await _open(client)
    except TimeoutError:
        no_broker = _unreached(settings, "it takes too long")
        return [no_broker, *_wait(_CHECKS[1:], no_broker)]
    except (MqttError, ValueError) as error:
        no_broker = _not_connected(settings, client_id, error, await diagnose(error, options))
        return [no_broker, *_wait(_CHECKS[1:], no_broker)]
    try:
        if not client.takes_qos_1:
            no_broker = _refused(settings, no_qos_1())
            return [no_broker, *_wait(_CHECKS[1:], no_broker)]
        rights = await BrokerRights(settings, client, wait).check()
        if messages and all(finding.verdict is not Verdict.BAD for finding in rights):
            trial = TopicTrial(
                topics or Topics(settings.base_topic),
                messages,
                v5=settings.protocol == "5",
                connect=partial(_another, options),
                wait=wait,
            )
            rights = [*await _try_topics(trial, client, rights[0]), *rights[1:]]
        return [_connected(settings, client_id), *rights]
    finally:
        await client.close()


async def _open(client: BrokerClient) -> None:
    async with asyncio.timeout(_CONNECT):
        await client.open()


async def _another(options: ConnectOptions) -> BrokerClient:
    client = new_client(options)
    await _open(client)
    return client


async def _try_topics(trial: TopicTrial, client: BrokerClient, publish: Finding) -> list[Finding]:
    """Returns the findings `publish`; the argument is the finding for the test topic."""
    try:
        return judge_topics(await trial.run(client), trial.topics, publish.text)
    except ERRORS as error:
        return [lost_finding(error)]


# --- the connection -----------------------------------------------------------------------------------------


def _connected(settings: Mqtt, client_id: str) -> Finding:
    login = f", logged in as {settings.username}" if settings.username else ", without a login"
    text = f"{settings.url}: reached{login}; MQTT {settings.protocol}, client id {client_id}"
    return Finding.of("broker", Verdict.GOOD, text)


def _not_connected(settings: Mqtt, client_id: str, error: Exception, trouble: Trouble) -> Finding:
    problem = trouble.at(address_of(settings))
    if not problem.remedy:
        return _unreached(settings, trouble.problem.text)
    match reason(error):
        case code if code == _CLIENT_ID:
            remedy = f"allow the client id {client_id} at the broker; only placed doctor uses it"
            text = f"{problem.text}; the daemon's own, {client_id_of(settings)}, cannot be tried beside it"
            return Finding("broker", Verdict.DOUBTFUL, replace(problem, text=text, remedy=remedy))
        case code if code == _NOT_AUTHORIZED:
            remedy = f"{problem.remedy}; they must also allow the client id {client_id}"
            problem = replace(problem, remedy=remedy)
        case _:
            pass
    return Finding("broker", Verdict.BAD, problem)


def _refused(settings: Mqtt, trouble: Trouble) -> Finding:
    return Finding("broker", Verdict.BAD, trouble.at(address_of(settings)))


def _unreached(settings: Mqtt, text: str) -> Finding:
    address = address_of(settings)
    remedy = (
        f"check that the broker runs, that mqtt.url is its address, and that this machine reaches {address}"
    )
    return Finding.of("broker", Verdict.BAD, f"{address}: {text}", remedy, key="mqtt.url")


def _wait(checks: Sequence[str], broken: Finding) -> list[Finding]:
    waiting = [blocked(check, broken) for check in checks]
    if broken.verdict is Verdict.DOUBTFUL:
        return [msgspec.structs.replace(f, verdict=Verdict.DOUBTFUL) for f in waiting]
    return waiting
