"""Rooms as a directory lists them: without names, for a moment not at all, and with another address."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import Where

if TYPE_CHECKING:
    from tests.support.deployment import Deployment
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


def connect(deployment: Deployment, source: str, **polling: Any) -> Where:
    """Both rooms, found by what is named; where faults of their list are."""
    group = deployment.tenant.add_group("placed-rooms", members=deployment.tenant.rooms())
    deployment.tenant.add_room_list("all-rooms", rooms=deployment.tenant.rooms())
    deployment.connect(
        **{source: {"room_group": group.address, "room_list": "all-rooms@contoso.example"}[source]}
    )
    deployment.configure(polling={**SOON, **polling})
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
    deployment: Deployment,
) -> None:
    deployment.tenant.hides_users = True
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom"])
    deployment.connect(room_group=group.address, roles=["Calendars.Read", "GroupMember.Read.All"])
    async with deployment.daemon(), deployment.listener() as panel:
        assert (await panel.message(STATE)).document["name"] == "Boardroom"
        await panel.message(STATUS, "free")


async def test_rooms_without_an_address_are_identified_by_their_object_ids(deployment: Deployment) -> None:
    """And once their calendars are readable they get an id that people know."""
    deployment.tenant.hides_users = True
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom"])
    app = deployment.connect(room_group=group.address, roles=["GroupMember.Read.All"])
    object_id = deployment.tenant.mailbox("boardroom").user_id
    async with deployment.daemon() as running, deployment.listener() as panel:
        state = await panel.message(f"placed/rooms/{object_id}/state")
        assert (state.document["status"], state.document["reason"]) == ("unknown", "forbidden")
        deployment.tenant.grant(app, "Calendars.Read")
        deployment.tenant.expire_tokens(app)
        deployment.clock.leap(330)
        await panel.message(STATUS, "free")
        await panel.message(f"placed/rooms/{object_id}/state", "")
        assert [room.id for room in running.daemon.board.rooms] == ["boardroom"]


async def test_a_room_is_named_by_the_settings_of_its_object_id(deployment: Deployment) -> None:
    deployment.tenant.hides_users = True
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom"])
    object_id = deployment.tenant.mailbox("boardroom").user_id
    more = f'\n[rooms."{object_id}"]\nid = "big"\nname = "Big Room"\n'
    more += '[rooms."typo@contoso.example"]\ncapacity = 3\n'
    deployment.connect(room_group=group.address, more=more)
    async with deployment.daemon() as running, deployment.listener() as panel:
        assert (await panel.message("placed/rooms/big/state")).document["name"] == "Big Room"
        (reported,) = running.logged("rooms.settings_fit_no_room")
        assert reported["table"] == '[rooms."typo@contoso.example"]'
        deployment.clock.leap(60)
        await panel.until(lambda a: a.topic == "placed/bridge/health", after=len(panel.arrivals))
        assert len(running.logged("rooms.settings_fit_no_room")) == 1


# --- for a moment not at all --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["room_group", "room_list"])
@pytest.mark.parametrize("lacking", [(), ("boardroom",)])
async def test_a_list_that_lacks_rooms_takes_none_from_panels(
    deployment: Deployment, source: str, lacking: tuple[str, ...]
) -> None:
    where = connect(deployment, source)
    async with deployment.daemon() as running, deployment.listener() as panel:
        await panel.message(STATUS, "free")
        faults = deployment.tenant.faults.lacking(*lacking, where=where)
        asked = len(deployment.simulator.requests)
        await deployment.simulator.asked(12)  # several lists among them
        assert asked + 12 <= len(deployment.simulator.requests)
        deployment.tenant.book(
            "boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
        )
        await panel.message(STATUS, "busy")
        for fault in faults:
            deployment.tenant.faults.remove(fault)
        await deployment.simulator.asked(6)
        await panel.caught_up()
        assert lost(panel) == []
        assert len(running.logged("rooms.are_missing")) == 1


async def test_a_list_that_lacks_rooms_after_a_restart_takes_none_from_panels(deployment: Deployment) -> None:
    where = connect(deployment, "room_group")
    async with deployment.daemon(), deployment.listener() as panel:
        await panel.message(STATUS, "free")
    deployment.tenant.faults.lacking(where=where)
    async with deployment.listener() as panel:
        async with deployment.daemon():
            deployment.tenant.book(
                "boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
            )
            await panel.message(STATUS, "busy")
        await panel.caught_up()
        assert lost(panel) == []


# --- with another address -----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["room_group", "room_list"])
async def test_a_room_with_another_address_is_the_same_room(deployment: Deployment, source: str) -> None:
    connect(deployment, source)
    async with deployment.daemon() as running, deployment.listener() as panel:
        await panel.message(STATUS, "free")
        deployment.tenant.change_address("boardroom", "big-room@contoso.example")
        deployment.tenant.book(
            "big-room", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
        )
        await panel.message(STATUS, "busy")
        await deployment.simulator.asked(4)
        await panel.caught_up()
        assert lost(panel) == []
        assert {room.id: room.address for room in running.daemon.board.rooms} == {
            "boardroom": "big-room@contoso.example",
            "library": "library@contoso.example",
        }
    async with deployment.daemon() as running:
        assert [room.id for room in running.daemon.board.rooms] == ["boardroom", "library"]


async def test_a_room_whose_address_changed_while_the_daemon_was_down_is_the_same_room(
    deployment: Deployment,
) -> None:
    connect(deployment, "room_group")
    async with deployment.daemon(), deployment.listener() as panel:
        await panel.message(STATUS, "free")
    deployment.tenant.change_address("boardroom", "big-room@contoso.example")
    deployment.tenant.book("big-room", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    async with deployment.listener() as panel, deployment.daemon():
        await panel.message(STATUS, "busy")
        assert "placed/rooms/big-room/state" not in panel.latest


# --- not readable for a moment ------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), LASTING)
async def test_one_refusal_of_a_room_that_was_readable_is_not_felt(
    deployment: Deployment, status: int, code: str
) -> None:
    deployment.configure(polling={"interval": "30s"})
    async with deployment.daemon(), deployment.listener() as panel:
        await panel.message(STATUS, "free")
        fault = deployment.tenant.faults.status(status, code=code, room="boardroom")
        async with deployment.listener("placed/bridge/health") as health:
            deployment.clock.leap(31)
            await health.until(lambda a: a.document["connections"][0]["failing"])
        deployment.tenant.faults.remove(fault)
        deployment.tenant.book(
            "boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1)
        )
        deployment.clock.leap(31)
        await panel.message(STATUS, "busy")
        assert lost(panel) == []
