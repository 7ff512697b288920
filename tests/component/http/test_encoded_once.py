"""A room's document is encoded once, by the board; MQTT, answers and events use its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from placed.board import judging
from placed.domain.state_document import state_document
from placed.mqtt.messages import room_messages
from placed.mqtt.topics import Topics
from tests.support.board_setup import BoardSetup, meeting

if TYPE_CHECKING:
    import pytest

    from tests.support.status_endpoint import Endpoint


async def test_a_statement_is_encoded_once_for_mqtt_answers_and_events(
    endpoint: Endpoint, board_setup: BoardSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[bytes] = []

    def counted(*arguments: Any, **named: Any) -> bytes:
        encoded.append(state_document(*arguments, **named))
        return encoded[-1]

    async with endpoint.listen(f"?room=boardroom&last_event_id=7-{board_setup.board.seq}") as listening:
        await listening.block()
        monkeypatch.setattr(judging, "state_document", counted)
        board_setup.read("boardroom", meeting(-10, 30))
        statement = board_setup.board.statement("boardroom")
        assert statement
        (document,) = encoded
        message = room_messages(Topics("placed"), statement, plain=False)[0]
        room = await endpoint.get("/api/v1/rooms/boardroom")
        listing = await endpoint.get("/api/v1/rooms")
        event = await listening.next()
    assert message.payload is document
    assert room.body.startswith(document[:-1])
    assert document[:-1] in listing.body
    assert event.data == msgspec.json.decode(room.body)
    assert encoded == [document]
