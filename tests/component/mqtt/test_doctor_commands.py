"""`placed doctor` tries the topics of commands and of their replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.doctor.command_checks import check_commands
from placed.driver import Finding, Verdict
from placed.settings.output_settings import Mqtt
from tests.component.mqtt.test_command_subscription import subscribed
from tests.support.mosquitto import Subscriber
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from placed.mqtt.client.connect_options import ProtocolVersion
    from tests.support.mosquitto import Mosquitto

    Start = Callable[..., Awaitable[Mosquitto]]

BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
PATIENCE = 0.3  # seconds in which a message that is withheld could have arrived


async def found(broker: Mosquitto, folder: Path, protocol: ProtocolVersion) -> Finding:
    write_secret(folder / "password", "hush")
    settings = Mqtt(url=broker.url, username="placed", password_file=folder / "password", protocol=protocol)
    return await check_commands(settings, PATIENCE)


@BOTH
async def test_with_all_rights_it_is_good_and_a_daemon_does_nothing(
    mosquitto: Mosquitto, protocol: ProtocolVersion
) -> None:
    async with subscribed(mosquitto) as (sink, _), Subscriber(mosquitto) as heard:
        finding = await check_commands(Mqtt(url=mosquitto.url, protocol=protocol))
        assert finding.verdict is Verdict.GOOD
        await heard.caught_up()
        assert sink.commands == []
        assert [a for a in heard.arrivals if a.retain] == []


@BOTH
@pytest.mark.parametrize(
    ("access", "words"),
    [
        (["topic readwrite placed/#"], "commands arrive"),
        (["topic write placed/#", "topic read placed/responses/#"], "commands do not arrive"),
        (["topic readwrite placed/rooms/#"], "no replies on placed/responses/placed-doctor"),
    ],
)
async def test_rights_that_are_missing_are_found(
    start: Start, tmp_path: Path, protocol: ProtocolVersion, access: list[str], words: str
) -> None:
    broker = await start(users={"placed": "hush"}, access=["user placed", *access])
    finding = await found(broker, tmp_path, protocol)
    assert words in finding.text
    assert (finding.verdict is Verdict.GOOD) == (words == "commands arrive") == (not finding.remedy)
