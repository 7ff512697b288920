"""A presence that may not be shown makes no difference to anything that leaves the program.

Two buildings are the same, but for what the sensors of a room report. What is published, answered or logged
of the two has to be the same, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.board.status_log import StatusLog
from placed.domain.calendar_event_detection import EventKind
from placed.domain.model import ShowPresence
from placed.domain.privacy import Show
from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.messages import BridgeInfo, event_message, room_messages
from placed.mqtt.topics import Topics
from tests.support.board_setup import NINE, BoardSetup, meeting, minutes
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.state_document import Statement

TOPICS = Topics("placed", discovery="homeassistant")
DISCOVERY = Discovery(TOPICS, BridgeInfo("0.1", timedelta(minutes=15), ("contoso",)), "homeassistant/status")
PATHS = (
    *("/", "/rooms/boardroom", "/api/v1/rooms", "/api/v1/rooms/boardroom", "/api/v1/days?room=boardroom"),
    *("/api/v1/connections", "/readyz"),
    *(f"/api/v1/rooms?use={use}" for use in ("used", "booked_empty", "unbooked", "empty")),
)
HIDDEN: dict[str, tuple[ShowPresence, dict[str, Any]]] = {
    "the site shows nothing": (ShowPresence.NOTHING, {"capacity": 8}),
    "a single seat": (ShowPresence.COUNT, {"capacity": 1}),
    "the room shows nothing": (ShowPresence.COUNT, {"capacity": 8, "show_presence": ShowPresence.NOTHING}),
}


@dataclass
class Published:
    """A listener of the board that keeps what is published for MQTT and Home Assistant."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)
    kinds: list[EventKind] = field(default_factory=list)

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        del urgent
        messages = [*room_messages(TOPICS, statement, plain=True), *DISCOVERY.presence(statement)]
        messages += [event_message(TOPICS, statement, event, Show.EVERYTHING, NINE) for event in events]
        self.messages += [(message.topic, message.payload) for message in messages]
        self.kinds += [event.happening for event in events]

    def rooms_changed(self, removed: frozenset[str]) -> None: ...

    def health_changed(self, health: ConnectionHealth) -> None: ...

    def connection_removed(self, connection: str) -> None: ...


@dataclass(frozen=True)
class Output:
    """All that left the program in half an hour."""

    published: Published
    answers: list[tuple[str, bytes]]
    stream: list[str]
    metrics: list[str]
    logs: list[Any]
    stored: list[Any]


async def half_an_hour(
    show: ShowPresence, place: dict[str, Any], *, present: bool, count: int | None = None
) -> Output:
    """A meeting comes to its end while a sensor reports each minute, then falls silent."""
    building, published = BoardSetup(), Published()
    building.board.change_show_presence(show)
    building.board.listeners += [published, StatusLog()]
    building.add("boardroom", **place)
    answers: list[tuple[str, bytes]] = []
    metrics: list[str] = []
    stored: list[Any] = []
    with capture_logs() as logs:
        async with Endpoint(building) as endpoint, endpoint.listen() as listening:
            building.read("boardroom", meeting(-10, 12.5))
            for minute in range(30):
                if minute < 15:
                    building.sense("boardroom", present=present, count=count)
                if minute % 4 == 0:
                    building.read("boardroom", meeting(-10, 12.5))
                    answers += [(path, (await endpoint.get(path)).body) for path in PATHS]
                    scrape = (await endpoint.get("/metrics")).body.decode().splitlines()
                    metrics += [line for line in scrape if line.startswith("placed_")]
                    stored += [*building.board.known(), dict(building.board.touched)]
                building.wait(minutes(1))
            building.add("last")  # so that the stream is read to its end
            stream: list[str] = []
            while not any('"room":"last"' in line for line in stream):
                stream += await listening.block()
    stream = [line for line in stream if not line.startswith(":")]
    return Output(published, answers, stream, metrics, [log for log in logs if "url" not in log], stored)


@pytest.mark.parametrize("hidden", HIDDEN)
async def test_nothing_that_is_published_answered_logged_or_stored_differs_by_a_hidden_presence(
    hidden: str,
) -> None:
    show, place = HIDDEN[hidden]
    somebody = await half_an_hour(show, place, present=True, count=1)
    nobody = await half_an_hour(show, place, present=False, count=0)
    assert somebody.published == nobody.published
    assert somebody.answers == nobody.answers
    assert somebody.stream == nobody.stream
    assert somebody.metrics == nobody.metrics
    assert somebody.logs == nobody.logs
    assert somebody.stored == nobody.stored
    assert not {EventKind.BOOKED_EMPTY, EventKind.UNBOOKED_USE} & set(somebody.published.kinds)


async def test_nothing_differs_by_the_number_of_people_where_the_state_alone_is_shown() -> None:
    place = {"capacity": 8}
    one = await half_an_hour(ShowPresence.STATE, place, present=True, count=1)
    five = await half_an_hour(ShowPresence.STATE, place, present=True, count=5)
    assert one == five


async def test_what_is_shown_does_differ() -> None:
    """Or the tests above would prove nothing."""
    place = {"capacity": 8}
    somebody = await half_an_hour(ShowPresence.STATE, place, present=True)
    nobody = await half_an_hour(ShowPresence.STATE, place, present=False)
    assert EventKind.UNBOOKED_USE in somebody.published.kinds
    assert EventKind.BOOKED_EMPTY in nobody.published.kinds
    for part in ("published", "answers", "stream", "metrics"):
        assert getattr(somebody, part) != getattr(nobody, part), part
    one = await half_an_hour(ShowPresence.COUNT, place, present=True, count=1)
    five = await half_an_hour(ShowPresence.COUNT, place, present=True, count=5)
    assert one.answers != five.answers
