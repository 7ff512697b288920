"""A press of a button in Home Assistant changes the calendar; a reload removes buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from placed.settings.loader import load
from tests.support.acting_panels import with_actions
from tests.support.home_assistant_templates import attributes_of, pressed

if TYPE_CHECKING:
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Subscriber

ROOM = "placed/rooms/boardroom"
BUTTONS = "homeassistant/button/placed/boardroom_"
WANTED = {"discovery": True, "actions": True}


async def press(panel: Subscriber, name: str) -> None:
    """Publishes what Home Assistant does when somebody presses a button, and waits until it is done."""
    now = datetime.now(UTC)
    button = (await panel.message(f"{BUTTONS}{name}/config")).document
    status = (await panel.message("homeassistant/sensor/placed/boardroom_status/config")).document
    state = panel.latest[status["json_attributes_topic"]].document
    attributes = attributes_of(status["json_attributes_template"], state, now)
    command = pressed(button["command_template"], attributes, now)
    before = len(panel.arrivals)
    await panel.publish(button["command_topic"], command)
    final = await panel.until(
        lambda a: a.topic == f"{ROOM}/response" and a.document["outcome"] != "accepted", after=before
    )
    assert (final.document["outcome"], final.document["reason"]) == ("done", None)


async def test_presses_book_and_end(deployment: Deployment) -> None:
    with_actions(deployment, home_assistant=WANTED)
    async with deployment.daemon() as running, deployment.listener("#") as panel:
        await running.has_logged("commands.are_taken")
        await panel.until(lambda a: a.topic == f"{ROOM}/state" and a.document["status"] == "free")
        await press(panel, "book_30")
        await panel.until(lambda a: a.topic == f"{ROOM}/state" and a.document["status"] == "busy")
        assert len(deployment.tenant.meetings("boardroom")) == 1
        before = len(panel.arrivals)
        await press(panel, "end")
        await panel.until(lambda _: panel.latest[f"{ROOM}/state"].document["current"] is None, after=before)


async def test_a_reload_clears_buttons_that_are_not_allowed_any_more(deployment: Deployment) -> None:
    with_actions(deployment, home_assistant=WANTED)
    async with deployment.daemon() as running, deployment.listener("#") as panel:
        for name in ("book_15", "book_30", "book_60", "end", "extend_15"):
            await panel.message(f"{BUTTONS}{name}/config")
        assert f"{BUTTONS}check_in/config" not in panel.latest, "there is no table check_in"
        deployment.connections = [deployment.connections[0].partition("[connections.actions]")[0]]
        deployment.configure(http={"listen": "127.0.0.1:0"}, home_assistant=WANTED)
        await running.daemon.change(running.daemon.prepare(load(deployment.file)))
        await panel.until(lambda _: not [topic for topic in panel.latest if topic.startswith(BUTTONS)])
        assert "homeassistant/sensor/placed/boardroom_status/config" in panel.latest
