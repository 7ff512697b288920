"""Rooms as a directory lists them: without names, for a moment not at all, and with another address."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import Where

if TYPE_CHECKING:
    from tests.support.daemon_environment import Stage
    from tests.support.mosquitto import Subscriber

STATE = "placed/rooms/boardroom/state"
STATUS = "placed/rooms/boardroom/status"
SOON = {"interval": "1s", "rediscover": "1s"}
LASTING = [
    (404, "MailboxNotEnabledForRESTAPI"),
    (404, "ErrorInvalidUser"),
    (404, "ResourceNotFound"),
    (403, "AccessDenied"),
]


def connect(stage: Stage, source: str, **polling: Any) -> Where:
    """Both rooms, found by what is named; where faults of their list are."""
    group = stage.tenant.add_group("placed-rooms", members=stage.tenant.rooms())
    stage.tenant.add_room_list("all-rooms", rooms=stage.tenant.rooms())
    stage.connect(**{source: {"room_group": group.address, "room_list": "all-rooms@contoso.example"}[source]})
    stage.configure(polling={**SOON, **polling})
    return Where.GROUPS if source == "room_group" else Where.PLACES


def lost(panel: Subscriber, room: str = "boardroom") -> list[str]:
    """What a panel saw of a room that was cleared, unknown or not there."""
    return [
        f"{a.topic} {a.text}"
        for a in panel.arrivals
        if (a.topic.startswith(f"placed/rooms/{room}/") and (not a.payload or '"unknown"' in a.text))
        or (a.topic == "placed/rooms" and room not in a.text)
    ]


# --- without names ------------------------------------------------------------------------------------------


async def test_rooms_that_the_application_may_not_read_as_users_are_named_by_their_calendars(
    stage: Stage,
) -> None:
    stage.tenant.hides_users = True
    group = stage.tenant.add_group("placed-rooms", members=["boardroom"])
    stage.connect(room_group=group.address, roles=["Calendars.Read", "GroupMember.Read.All"])
    async with stage.daemon(), stage.listener() as panel:
        assert (await panel.message(STATE)).document["name"] == "Boardroom"
        await panel.message(STATUS, "free")


async def test_rooms_without_an_address_are_identified_by_their_object_ids(stage: Stage) -> None:
    """And once their calendars are readable they get an id that people know."""
    stage.tenant.hides_users = True
    group = stage.tenant.add_group("placed-rooms", members=["boardroom"])
    app = stage.connect(room_group=group.address, roles=["GroupMember.Read.All"])
    object_id = stage.tenant.mailbox("boardroom").user_id
    async with stage.daemon() as running, stage.listener() as panel:
        state = await panel.message(f"placed/rooms/{object_id}/state")
        assert (state.document["status"], state.document["reason"]) == ("unknown", "forbidden")
        stage.tenant.grant(app, "Calendars.Read")
        stage.tenant.expire_tokens(app)
        stage.clock.leap(330)
        await panel.message(STATUS, "free")
        await panel.message(f"placed/rooms/{object_id}/state", "")
        assert [room.id for room in running.daemon.board.rooms] == ["boardroom"]


async def test_a_room_is_named_by_the_settings_of_its_object_id(stage: Stage) -> None:
    stage.tenant.hides_users = True
    group = stage.tenant.add_group("placed-rooms", members=["boardroom"])
    object_id = stage.tenant.mailbox("boardroom").user_id
    more = f'\n[rooms."{object_id}"]\nid = "big"\nname = "Big Room"\n'
    more += '[rooms."typo@contoso.example"]\ncapacity = 3\n'
    stage.connect(room_group=group.address, more=more)
    async with stage.daemon() as running, stage.listener() as panel:
        assert (await panel.message("placed/rooms/big/state")).document["name"] == "Big Room"
        (told,) = running.logged("rooms.settings_fit_no_room")
        assert told["table"] == '[rooms."typo@contoso.example"]'
        stage.clock.leap(60)
        await panel.until(lambda a: a.topic == "placed/bridge/health", after=len(panel.arrivals))
        assert len(running.logged("rooms.settings_fit_no_room")) == 1


# --- for a moment not at all --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["room_group", "room_list"])
@pytest.mark.parametrize("lacking", [(), ("boardroom",)])
async def test_a_list_that_lacks_rooms_takes_none_from_panels(
    stage: Stage, source: str, lacking: tuple[str, ...]
) -> None:
    where = connect(stage, source)
    async with stage.daemon() as running, stage.listener() as panel:
        await panel.message(STATUS, "free")
        faults = stage.tenant.faults.lacking(*lacking, where=where)
        asked = len(stage.simulator.requests)
        await stage.simulator.asked(12)  # several lists among them
        assert asked + 12 <= len(stage.simulator.requests)
        stage.tenant.book("boardroom", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
        await panel.message(STATUS, "busy")
        for fault in faults:
            stage.tenant.faults.remove(fault)
        await stage.simulator.asked(6)
        await panel.caught_up()
        assert lost(panel) == []
        assert len(running.logged("rooms.are_missing")) == 1


async def test_a_list_that_lacks_rooms_after_a_restart_takes_none_from_panels(stage: Stage) -> None:
    where = connect(stage, "room_group")
    async with stage.daemon(), stage.listener() as panel:
        await panel.message(STATUS, "free")
    stage.tenant.faults.lacking(where=where)
    async with stage.listener() as panel:
        async with stage.daemon():
            stage.tenant.book("boardroom", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
            await panel.message(STATUS, "busy")
        await panel.caught_up()
        assert lost(panel) == []


# --- with another address -----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["room_group", "room_list"])
async def test_a_room_with_another_address_is_the_same_room(stage: Stage, source: str) -> None:
    connect(stage, source)
    async with stage.daemon() as running, stage.listener() as panel:
        await panel.message(STATUS, "free")
        stage.tenant.change_address("boardroom", "big-room@contoso.example")
        stage.tenant.book("big-room", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
        await panel.message(STATUS, "busy")
        await stage.simulator.asked(4)
        await panel.caught_up()
        assert lost(panel) == []
        assert {room.id: room.address for room in running.daemon.board.rooms} == {
            "boardroom": "big-room@contoso.example",
            "library": "library@contoso.example",
        }
    async with stage.daemon() as running:
        assert [room.id for room in running.daemon.board.rooms] == ["boardroom", "library"]


async def test_a_room_whose_address_changed_while_the_daemon_was_down_is_the_same_room(stage: Stage) -> None:
    connect(stage, "room_group")
    async with stage.daemon(), stage.listener() as panel:
        await panel.message(STATUS, "free")
    stage.tenant.change_address("boardroom", "big-room@contoso.example")
    stage.tenant.book("big-room", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
    async with stage.listener() as panel, stage.daemon():
        await panel.message(STATUS, "busy")
        assert "placed/rooms/big-room/state" not in panel.latest


# --- not readable for a moment ------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), LASTING)
async def test_one_refusal_of_a_room_that_was_readable_is_not_felt(
    stage: Stage, status: int, code: str
) -> None:
    stage.configure(polling={"interval": "30s"})
    async with stage.daemon(), stage.listener() as panel:
        await panel.message(STATUS, "free")
        fault = stage.tenant.faults.status(status, code=code, room="boardroom")
        async with stage.listener("placed/bridge/health") as health:
            stage.clock.leap(31)
            await health.until(lambda a: a.document["connections"][0]["failing"])
        stage.tenant.faults.remove(fault)
        stage.tenant.book("boardroom", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
        stage.clock.leap(31)
        await panel.message(STATUS, "busy")
        assert lost(panel) == []
