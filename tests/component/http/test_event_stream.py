"""The event stream: a snapshot, then every change, for a client that connects or comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.http import event_stream as events
from placed.http.api.rooms import RoomDocuments
from tests.support.board_setup import BoardSetup, meeting, minutes
from tests.support.deadlines import DEADLINE
from tests.support.status_endpoint import Endpoint, ServerSentEvent

if TYPE_CHECKING:
    from collections.abc import Iterable


def rooms(reported: Iterable[ServerSentEvent]) -> list[str]:
    """The kind of each event with its room, in order."""
    return [f"{t.event} {t.data['room']}" for t in reported]


async def test_a_new_client_receives_a_snapshot_and_then_changes(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("boardroom", meeting(-10, 30))
    board_setup.report()
    async with endpoint.listen() as listening:
        snapshot, *states, health = await listening.take(5)
        assert snapshot == ServerSentEvent(
            "snapshot",
            None,
            {"schema": 1, "epoch": 7, "seq": 4, "rooms": ["atrium", "boardroom", "library"]},
        )
        assert rooms(states) == ["state atrium", "state library", "state boardroom"]
        assert [s.id for s in states] == ["7-2", "7-3", "7-4"]
        assert health == ServerSentEvent("health", None, board_setup.board.health["contoso"].document())
        assert states[2].data == (await endpoint.get("/api/v1/rooms/boardroom")).json


async def test_edges_are_sent_when_they_occur(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.read("boardroom", meeting(-10, 10))
    async with endpoint.listen("?room=boardroom") as listening:
        await listening.take(2)
        output = []
        for duration in (2, 8, 5):
            board_setup.wait(minutes(duration))
            state = (await listening.next()).data
            output.append((state["status"], state["stale"], state["occupied"]))
    assert output == [("busy", True, True), ("free", True, False), ("unknown", True, None)]


async def test_the_stream_is_what_browsers_and_proxies_want(endpoint: Endpoint) -> None:
    async with endpoint.listen() as listening:
        headers = listening.response.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-cache, no-transform"
        assert headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in headers
        assert await listening.block() == ["retry: 2000"]


async def test_a_client_that_reconnects_receives_what_is_new(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    async with endpoint.listen() as listening:
        last = (await listening.take(4))[-1].id
    assert last == "7-3"
    board_setup.read("boardroom", meeting(-10, 30))
    board_setup.read("atrium")
    board_setup.read("boardroom", meeting(-10, 40))
    async with endpoint.listen(headers={"Last-Event-ID": last}) as listening:
        assert rooms(await listening.take(2)) == ["state atrium", "state boardroom"]


async def test_an_up_to_date_client_receives_only_new_events(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    async with endpoint.listen(headers={"Last-Event-ID": f"7-{board_setup.board.seq}"}) as listening:
        await listening.block()
        board_setup.read("atrium")
        assert rooms([await listening.next()]) == ["state atrium"]


async def test_a_listing_goes_on_as_events_without_a_gap(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    listing = (await endpoint.get("/api/v1/rooms")).json
    board_setup.read("atrium")
    position = f"{listing['epoch']}-{listing['seq']}"
    async with endpoint.listen(f"?last_event_id={position}") as listening:
        assert rooms([await listening.next()]) == ["state atrium"]


@pytest.mark.parametrize(
    "seen", ["6-2", "8-2", "7-99", "", "7", "seven-2", "7-2-gzip", "-7-2", "7-" + "9" * 5000]
)
async def test_an_unknown_last_event_id_brings_a_snapshot(endpoint: Endpoint, seen: str) -> None:
    """Of another epoch, of the future, or no id at all. EventSource would never come back from an error."""
    async with endpoint.listen(headers={"Last-Event-ID": seen}) as listening:
        assert [reported.event for reported in await listening.take(4)] == [
            "snapshot",
            "state",
            "state",
            "state",
        ]


async def test_the_field_goes_before_the_address(endpoint: Endpoint) -> None:
    """A browser comes again with the address it had at first."""
    async with endpoint.listen("?last_event_id=7-0", {"Last-Event-ID": "7-2"}) as listening:
        assert rooms([await listening.next()]) == ["state library"]


async def test_an_address_with_a_wrong_id_is_refused(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/api/v1/events?last_event_id=latest")
    assert answer.status == 400
    assert answer.json["problems"] == [
        {"parameter": "last_event_id", "found": "latest", "expected": "an id such as 7-412"}
    ]


async def test_removed_rooms_are_sent(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    async with endpoint.listen() as listening:
        await listening.take(4)
        board_setup.drop("library")
        gone = await listening.next()
        assert gone == ServerSentEvent("removed", "7-4", {"room": "library"})
        board_setup.add("library")
        assert rooms([await listening.next()]) == ["state library"]
        board_setup.drop("library")
        assert (await listening.next()).id == "7-6"
    async with endpoint.listen(headers={"Last-Event-ID": "7-5"}) as listening:
        assert await listening.next() == ServerSentEvent("removed", "7-6", {"room": "library"})
    async with endpoint.listen() as listening:
        assert (await listening.next()).data["rooms"] == ["atrium", "boardroom"]
        assert rooms(await listening.take(2)) == ["state boardroom", "state atrium"]
        board_setup.read("atrium")
        assert rooms([await listening.next()]) == ["state atrium"]


async def test_rooms_that_went_before_the_start_are_remembered(board_setup: BoardSetup) -> None:
    board_setup.drop("library")
    async with Endpoint(board_setup) as endpoint, endpoint.listen("?last_event_id=7-3") as listening:
        assert await listening.next() == ServerSentEvent("removed", "7-4", {"room": "library"})


async def test_ids_only_rise_when_rooms_come_and_go_at_once(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    """Who is cut off in between misses nothing: the ids are the order of what happened."""
    async with endpoint.listen("?last_event_id=7-3") as listening:
        await listening.block()
        del board_setup.enrolled["contoso"]["library"]
        board_setup.add("chapel")
        assert rooms(await listening.take(2)) == ["removed library", "state chapel"]


async def test_a_panel_receives_only_its_room(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.report()
    async with endpoint.listen("?room=atrium&room=library") as listening:
        snapshot, *states = await listening.take(3)
        assert snapshot.data["rooms"] == ["atrium", "library"]
        assert rooms(states) == ["state atrium", "state library"]
        board_setup.read("boardroom")
        board_setup.report()
        board_setup.read("atrium")
        assert rooms([await listening.next()]) == ["state atrium"]
        board_setup.drop("atrium")
        assert rooms([await listening.next()]) == ["removed atrium"]


async def test_a_panel_may_come_before_its_room(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    async with endpoint.listen("?room=chapel") as listening:
        assert (await listening.next()).data["rooms"] == []
        board_setup.add("chapel")
        assert rooms([await listening.next()]) == ["state chapel"]


async def test_a_parameter_that_is_not_known_is_refused(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/api/v1/events?rooms=atrium")
    assert answer.status == 400
    assert answer.json["problems"][0]["parameter"] == "rooms"


async def test_silence_is_broken(board_setup: BoardSetup) -> None:
    endpoint = Endpoint(board_setup)
    endpoint.server._events._keep_alive = 0.01
    async with endpoint, endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
        assert [await listening.block() for _ in range(3)] == [
            ["retry: 2000"],
            [": keep-alive 2026-01-08T09:00:00.000Z"],
            [": keep-alive 2026-01-08T09:00:00.000Z"],
        ]


async def test_a_stream_with_much_news_brings_the_time_too(board_setup: BoardSetup) -> None:
    """A page that hears of rooms all the time has to notice that the daemon's clock was set."""
    endpoint = Endpoint(board_setup)
    endpoint.server._events._keep_alive = 0.4
    async with endpoint, endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
        assert (await listening.block())[0] == "retry: 2000"
        assert (await listening.block())[0].startswith(": keep-alive ")
        for number in range(5000):  # a millisecond or so from one to the next
            board_setup.read("atrium", meeting(-10, 10 + number % 1000))
            if (await listening.block())[0].startswith(": keep-alive "):
                return
        pytest.fail("five thousand events without the time")


async def test_the_end_of_the_snapshot_is_marked(board_setup: BoardSetup, endpoint: Endpoint) -> None:
    """A page may believe what it knows from then on: no sooner, though bytes come before."""
    async with endpoint.listen("?room=atrium") as listening:
        assert (await listening.block())[0] == "retry: 2000"
        assert (await listening.block())[0] == "event: snapshot"
        assert (await listening.block())[0] == "event: state"
        assert (await listening.block())[0].startswith(": keep-alive ")
        seq = board_setup.board.seq
    board_setup.read("atrium", meeting(-10, 30))
    async with endpoint.listen(f"?room=atrium&last_event_id=7-{seq}") as listening:
        assert (await listening.block())[0] == "retry: 2000"
        assert (await listening.block())[0] == "event: state"
        assert (await listening.block())[0].startswith(": keep-alive ")


async def test_there_is_a_limit_to_the_streams(board_setup: BoardSetup) -> None:
    endpoint = Endpoint(board_setup)
    endpoint.server._events.limit = 2
    async with endpoint:
        async with endpoint.listen() as one, endpoint.listen() as two:
            await one.next()
            await two.next()
            answer = await endpoint.get("/api/v1/events")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert (await endpoint.get("/api/v1/rooms")).status == 200
        await until_alone(endpoint)
        async with endpoint.listen() as listening:
            await listening.next()


async def until_alone(endpoint: Endpoint) -> None:
    """Until the endpoint has noticed that its clients have gone."""
    async with asyncio.timeout(DEADLINE):
        while b"placed_http_sse_clients 0.0" not in (await endpoint.get("/metrics")).body:
            pass


async def test_what_breaks_in_the_middle_ends_the_stream_and_is_logged_once(
    endpoint: Endpoint, board_setup: BoardSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("boom")

    monkeypatch.setattr(RoomDocuments, "document", broken)
    with capture_logs() as logs:
        async with endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
            assert await listening.block() == ["retry: 2000"]
            board_setup.read("atrium")
            with pytest.raises(Exception, match=r"payload|EOF|^$"):
                await listening.next()
    assert [log["event"] for log in logs] == ["http.request_failed"]


def test_a_frame_is_one_line_of_data() -> None:
    assert events.frame("removed", {"room": "a\nb"}) == b'event: removed\ndata: {"room":"a\\nb"}\n\n'
