"""Clients of the event stream that read slowly, or not at all, delay no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

import pytest
from structlog.testing import capture_logs

from placed.http import latest_events
from placed.http.api.rooms import RoomDocuments
from placed.http.limits import Limits
from tests.component.http.slow_reader import SlowReader
from tests.component.http.test_event_stream import rooms, until_alone
from tests.support.board_setup import BoardSetup, meeting
from tests.support.deadlines import DEADLINE
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from placed.domain.state_document import Statement


async def test_a_client_that_disconnects_is_noticed_at_once(endpoint: Endpoint) -> None:
    """And not with the next statement or keep-alive, which may be long in coming."""
    async with endpoint.listen() as listening:
        await listening.next()
        assert b"placed_http_sse_clients 1.0" in (await endpoint.get("/metrics")).body
    await until_alone(endpoint)


class SlowFollower(SlowReader):
    """Of the events; it has read how often to come again."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint, "/api/v1/events", protocol="HTTP/1.0")

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.read(b"retry: 2000\n\n")
        return self

    def ids(self) -> list[str]:
        return [line[4:] for line in self.received.decode().splitlines() if line.startswith("id: ")]

    def seqs(self, room: str) -> list[int]:
        lines = self.received.decode().splitlines()
        states = [json.loads(line[6:]) for line in lines if line.startswith('data: {"schema":1,"room"')]
        return [state["seq"] for state in states if state["room"] == room]


def crowd() -> BoardSetup:
    """So many rooms that no buffer holds the events of all of them."""
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number}" for number in range(3000)))
    return board_setup


@pytest.mark.slow  # megabytes of events pass a client that does not read
async def test_a_slow_client_receives_the_latest_state_and_delays_no_other() -> None:
    board_setup = crowd()
    endpoint = Endpoint(board_setup, limits=Limits(patience=DEADLINE))
    async with endpoint, endpoint.listen() as quick, SlowFollower(endpoint) as slow:
        await quick.take(3001)
        for number in range(8):
            for room in range(3000):
                board_setup.read(f"room-{room}", meeting(10 + number, 90))
            reported = await quick.take(3000)
            assert reported[-1].id == f"7-{board_setup.board.seq}"
        assert board_setup.board.seq == 27_000
        await slow.read_on(b"id: 7-27000\n", until=b"\n\n")
        ids = [int(i.partition("-")[2]) for i in slow.ids()]
        assert ids == sorted(set(ids))
        assert len(ids) < 10_000  # of 27,000: its first look, what stood in buffers, and the last of each
        latest = {s.room.id: s.seq for s in board_setup.board.statements}
        last_received = {f"room-{room}": seqs for room in (0, 1, 1500) if (seqs := slow.seqs(f"room-{room}"))}
        assert all(seqs[-1] == latest[room] for room, seqs in last_received.items())
        assert set(ids) >= set(latest.values())


async def test_more_events_than_one_portion_arrive_in_order(
    endpoint: Endpoint, board_setup: BoardSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
        await listening.block()
        monkeypatch.setattr(latest_events, "PORTION", 1)
        for number in range(3):
            for room in ("library", "boardroom", "atrium"):
                board_setup.read(room, meeting(10 + number, 90))
            reported = await listening.take(3)
            assert rooms(reported) == ["state library", "state boardroom", "state atrium"]
        assert reported[-1].id == f"7-{board_setup.board.seq}"


@pytest.mark.slow  # it waits until the server drops a client
async def test_a_client_that_does_not_read_is_disconnected() -> None:
    board_setup = crowd()
    endpoint = Endpoint(board_setup, limits=Limits(patience=0.05))
    with capture_logs() as logs:
        async with endpoint, SlowFollower(endpoint) as slow:
            await until_alone(endpoint)
            with pytest.raises((EOFError, ConnectionResetError)):
                await slow.read(b"never sent")
    dropped = [log for log in logs if log["event"] == "http.reader_was_dropped"]
    assert len(dropped) == 1
    assert dropped[0]["log_level"] == "warning"


async def test_a_frame_is_made_once_for_all(
    endpoint: Endpoint, board_setup: BoardSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    make = RoomDocuments.document

    def counted(documents: RoomDocuments, statement: Statement) -> bytes:
        made.append(statement.seq)
        return make(documents, statement)

    monkeypatch.setattr(RoomDocuments, "document", counted)
    position = f"?last_event_id=7-{board_setup.board.seq}"
    board_setup.read("boardroom")
    board_setup.read("atrium", meeting(1, 2))
    board_setup.read("atrium", meeting(1, 3))
    assert made == []
    for _ in range(3):
        async with endpoint.listen(position) as listening:
            await listening.take(2)
    assert made == [4, 6]
