"""A real Home Assistant presses the buttons of a room, and the calendar changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.home_assistant.test_discovery import complaints
from tests.support.acting_panels import with_actions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.home_assistant.home_assistant_server import HomeAssistant
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Mosquitto, Subscriber

    Install = Callable[[Mosquitto], HomeAssistant]

pytestmark = pytest.mark.home_assistant

MINUTE = timedelta(minutes=1)


def configure(deployment: Deployment) -> None:
    """The rooms have actions, and Home Assistant gets buttons for them."""
    deployment.connections.clear()
    with_actions(deployment, home_assistant={"discovery": True, "actions": True})


async def press(hass: HomeAssistant, panel: Subscriber, name: str) -> None:
    """Presses a button of the boardroom on a page of Home Assistant, and waits until it is done."""
    before = len(panel.arrivals)
    await hass.ask(
        "call_service",
        domain="button",
        service="press",
        target={"entity_id": f"button.boardroom_{name}"},
    )
    final = await panel.until(lambda a: a.payload and a.document["outcome"] != "accepted", after=before)
    assert (final.document["outcome"], final.document["reason"]) == ("done", None)


async def test_presses_book_extend_and_end(install: Install, deployment: Deployment) -> None:
    configure(deployment)
    hass = install(deployment.broker)
    async with hass.running(), deployment.daemon() as running:
        await running.has_logged("commands.are_taken")
        async with deployment.listener("placed/rooms/boardroom/response") as panel:
            await hass.until(lambda: hass.state("button.boardroom_book_30") is not None)
            await hass.becomes("sensor.boardroom_status", "free")
            await press(hass, panel, "book_30")
            await hass.becomes("sensor.boardroom_status", "busy")
            (booked,) = deployment.tenant.meetings("boardroom")
            assert booked.end - booked.start == 30 * MINUTE

            until = (booked.end + 15 * MINUTE).isoformat()
            await press(hass, panel, "extend_15")
            await hass.becomes("sensor.boardroom_busy_until", until)
            assert len(deployment.tenant.meetings("boardroom")) == 2

            await press(hass, panel, "end")
            (ended,) = deployment.tenant.meetings("boardroom")
            assert ended.end - ended.start <= 2 * MINUTE
        assert complaints(hass) == []


async def test_a_press_where_no_meeting_runs_does_nothing(install: Install, deployment: Deployment) -> None:
    configure(deployment)
    hass = install(deployment.broker)
    async with hass.running(), deployment.daemon() as running:
        await running.has_logged("commands.are_taken")
        await hass.until(lambda: hass.state("button.boardroom_end") is not None)
        await hass.becomes("sensor.boardroom_status", "free")
        await hass.ask(
            "call_service", domain="button", service="press", target={"entity_id": "button.boardroom_end"}
        )
        await running.has_logged("command.message_was_not_used")
        assert deployment.tenant.meetings("boardroom") == []
