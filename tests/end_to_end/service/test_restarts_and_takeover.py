"""What is remembered from one start to the next, and what two daemons do that meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.placed_process import Program

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

STATE = "placed/rooms/boardroom/state"


async def epoch(deployment: Deployment) -> int:
    """The epoch of one more run of the daemon."""
    async with deployment.daemon() as running, deployment.listener() as panel:
        state = await panel.until(
            lambda a: a.topic == STATE and a.document["epoch"] == running.daemon.board.epoch
        )
        online = await panel.message("placed/bridge/state")
        found: int = state.document["epoch"]
        assert online.document == {"state": "online", "epoch": found}
        return found


async def test_the_epoch_grows_with_each_start(deployment: Deployment) -> None:
    first, second, third = [await epoch(deployment) for _ in range(3)]
    assert first < second < third


@pytest.mark.parametrize("content", [b"", b"{", b"SQLite format 3\0" + bytes(4096)])
async def test_the_epoch_grows_also_where_the_journal_is_damaged(
    deployment: Deployment, content: bytes
) -> None:
    first = await epoch(deployment)
    deployment.clock.leap(1)
    (deployment.state_directory / "journal.db").write_bytes(content)
    second = await epoch(deployment)
    deployment.clock.leap(1)
    assert first < second < await epoch(deployment)


async def test_the_epoch_grows_even_if_the_state_directory_is_not_writable(deployment: Deployment) -> None:
    deployment.state_directory.write_text("no directory")
    first = await epoch(deployment)
    deployment.clock.leap(1)
    assert first < await epoch(deployment)


async def test_the_epoch_grows_also_where_the_clock_was_set_back(deployment: Deployment) -> None:
    first = await epoch(deployment)
    deployment.clock.leap(-3600)
    assert first < await epoch(deployment)


async def test_rooms_keep_their_ids_over_restarts_when_others_are_added_or_removed(
    deployment: Deployment,
) -> None:
    """A second boardroom that comes first by its address does not take the first one's id."""
    deployment.tenant.add_room("boardroom@fabrikam.example")
    deployment.connect(rooms=["boardroom@fabrikam.example"])
    deployment.configure()
    async with deployment.daemon() as running:
        assert [(room.id, room.address) for room in running.daemon.board.rooms] == [
            ("boardroom", "boardroom@fabrikam.example")
        ]
    deployment.connections.clear()
    deployment.connect()
    deployment.configure()
    for _ in range(2):
        async with deployment.daemon() as running:
            assert {room.address: room.id for room in running.daemon.board.rooms} == {
                "boardroom@fabrikam.example": "boardroom",
                "boardroom@contoso.example": "contoso-boardroom",
                "library@contoso.example": "library",
            }


async def test_a_room_that_was_removed_while_the_daemon_was_down_is_cleared_from_the_broker(
    deployment: Deployment,
) -> None:
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
    deployment.connect(room_group=group.address)
    async with deployment.daemon(), deployment.listener() as panel:
        await panel.message(STATE)
    deployment.tenant.remove_room("boardroom")
    async with deployment.listener() as panel:
        await panel.message(STATE)
        async with deployment.daemon():
            await panel.message(STATE, "")
            await panel.until(lambda a: a.topic == "placed/rooms" and "boardroom" not in a.text)
    async with deployment.listener() as panel:
        await panel.caught_up()
        assert "placed/rooms/library/state" in panel.latest
        assert not [topic for topic in panel.latest if "boardroom" in topic]


async def test_of_two_daemons_with_one_client_id_the_first_gives_way_with_a_clear_error(
    deployment: Deployment,
) -> None:
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as first:
        await first.logged("daemon.became_ready")
        deployment.clock.leap(2)
        async with deployment.daemon() as second, deployment.listener() as panel:
            assert await first.ends() == 3
            (output,) = [e["problem"] for e in first.logs if e["event"] == "daemon.could_not_start"]
            assert output == (
                f"{deployment.file}: mqtt.client_id: 127.0.0.1:{deployment.broker.port}: another client has "
                "connected with our client id 'placed'; "
                "stop the other one, or set mqtt.client_id or mqtt.base_topic"
            )
            meeting = deployment.tenant.book(
                "boardroom", deployment.clock.now(), deployment.clock.now().replace(year=2099)
            )
            await panel.message("placed/rooms/boardroom/status", "busy")
            deployment.tenant.delete(meeting)
            await panel.message("placed/rooms/boardroom/status", "free", after=len(panel.arrivals))
            assert not second.task.done()
            assert len(second.logged("broker.connected")) <= 2
            await panel.caught_up()
            state = panel.latest["placed/bridge/state"].document
            assert state == {"state": "online", "epoch": second.daemon.board.epoch}
