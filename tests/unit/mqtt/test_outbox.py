from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from placed.domain.model import Occupancy, Room, Status
from placed.domain.state_document import Statement
from placed.mqtt.messages import Message, clear
from placed.mqtt.outbox import InitialPublication, Outbox

NOW = datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC)


def message(topic: str, payload: str = "", **more: object) -> Message:
    return Message(topic, payload.encode(), **more)  # type: ignore[arg-type]


def statement(room_id: str, seq: int = 1) -> Statement:
    room = Room(room_id, "contoso", f"{room_id}@contoso.example", room_id, room_id, ZoneInfo("Europe/Berlin"))
    occupancy = Occupancy(Status.FREE, stale=False, valid_until=NOW + timedelta(hours=1))
    return Statement(room, occupancy, NOW, 7, seq, b"{}")


def topics_of(room_id: str) -> list[str]:
    return [f"{room_id}/state", f"{room_id}/status"]


def messages_of(of: Statement) -> list[Message]:
    return [message(topic, str(of.seq)) for topic in topics_of(of.room.id)]


def an_outbox() -> Outbox:
    return Outbox(messages_of, topics_of)


def emptied(outbox: Outbox, now: datetime = NOW) -> list[Message]:
    taken = []
    while (found := outbox.take(now)[0]) is not None:
        taken.append(found)
    return taken


def test_the_latest_message_of_a_topic_keeps_the_place_of_its_first() -> None:
    outbox = an_outbox()
    for topic, payload in (("a", "1"), ("b", "1"), ("a", "2")):
        outbox.put(message(topic, payload))
    assert len(outbox) == 2
    assert emptied(outbox) == [message("a", "2"), message("b", "1")]


def test_the_urgent_goes_first_and_takes_its_topic_along() -> None:
    outbox = an_outbox()
    outbox.put(message("a", "1"))
    outbox.put(message("b", "1"))
    outbox.put(message("b", "2"), urgent=True)
    assert emptied(outbox) == [message("b", "2"), message("a", "1")]


def test_what_is_not_urgent_does_not_slow_down_what_was() -> None:
    outbox = an_outbox()
    outbox.put(message("a", "1"))
    outbox.put(message("b", "1"), urgent=True)
    outbox.put(message("b", "2"))
    assert emptied(outbox) == [message("b", "2"), message("a", "1")]


def test_messages_that_are_not_retained_are_sent_one_by_one() -> None:
    outbox = an_outbox()
    events = [message("e", str(i), retain=False) for i in range(3)]
    outbox.put(message("a"))
    for event in events:
        outbox.put(event)
    assert emptied(outbox) == [*events, message("a")]


def test_expired_messages_are_not_sent() -> None:
    outbox = an_outbox()
    outbox.put(old := message("a", expires_at=NOW))
    outbox.put(new := message("b", expires_at=NOW + timedelta(microseconds=1)))
    assert outbox.take(NOW) == (new, [old])
    assert outbox.take(NOW) == (None, [])


def test_the_latest_state_of_a_room_keeps_the_place_of_its_first() -> None:
    outbox = an_outbox()
    for waiting in (statement("a", 1), statement("b", 2), statement("a", 3)):
        outbox.put_room(waiting)
    assert len(outbox) == 2
    assert emptied(outbox) == messages_of(statement("a", 3)) + messages_of(statement("b", 2))
    assert not outbox


def test_an_urgent_room_goes_before_all_that_is_not() -> None:
    outbox = an_outbox()
    outbox.put(message("a", "1"))
    outbox.put_room(statement("b", 1))
    outbox.put_room(statement("c", 2))
    outbox.put_room(statement("c", 3), urgent=True)
    outbox.put_room(statement("c", 4))
    outbox.put(event := message("c/event", retain=False))
    assert emptied(outbox) == [
        *messages_of(statement("c", 4)),
        event,
        message("a", "1"),
        *messages_of(statement("b", 1)),
    ]


def test_what_clears_a_topic_goes_after_all_else() -> None:
    outbox = an_outbox()
    for topic in ("x", "y"):
        outbox.put(clear(topic))
    outbox.put(message("z", "1"), late=True)
    outbox.put(message("a", "1"))
    outbox.put_room(statement("b"))
    assert outbox.pressing
    taken = emptied(outbox)
    assert taken == [
        message("a", "1"),
        *messages_of(statement("b")),
        clear("x"),
        clear("y"),
        message("z", "1"),
    ]


def test_what_is_published_after_all_is_not_cleared() -> None:
    outbox = an_outbox()
    outbox.put(clear("a"))
    outbox.put(message("a", "1"))
    outbox.put(message("b", "1"), urgent=True)
    outbox.put(clear("b"))
    assert emptied(outbox) == [message("a", "1"), clear("b")]
    assert not outbox.pressing


def test_a_rooms_messages_are_made_when_its_turn_comes() -> None:
    made: list[int] = []

    def write_up(of: Statement) -> list[Message]:
        made.append(of.seq)
        return messages_of(of)

    outbox = Outbox(write_up, topics_of)
    outbox.put_room(statement("a", 1))
    outbox.put_room(statement("b", 2))
    assert made == []
    outbox.take(NOW)
    assert made == [1]


def test_messages_of_a_room_keep_their_order() -> None:
    outbox = an_outbox()
    outbox.put_room(statement("a", 1))
    first, _ = outbox.take(NOW)
    outbox.put_room(statement("a", 2), urgent=True)
    assert [first, *emptied(outbox)] == messages_of(statement("a", 1)) + messages_of(statement("a", 2))


def test_a_room_that_returns_is_not_cleared_after_its_new_state() -> None:
    outbox = an_outbox()
    for topic in (*topics_of("a"), "a/config"):
        outbox.put(clear(topic))
    outbox.put_room(statement("a"), urgent=True)
    assert emptied(outbox) == [*messages_of(statement("a")), clear("a/config")]


def test_a_removed_room_is_not_published_after_it_was_cleared() -> None:
    outbox = an_outbox()
    outbox.put_room(statement("a", 1))
    outbox.put_room(statement("b", 2), urgent=True)
    cleared = [clear(topic) for topic in (*topics_of("a"), *topics_of("b"))]
    for nothing in cleared:
        outbox.put(nothing)
    for room_id in "ab":
        outbox.drop_room(room_id)
    assert emptied(outbox) == cleared


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(), st.booleans())))
def test_the_latest_message_of_each_topic_is_sent_exactly_once(puts: list[tuple[str, int, bool]]) -> None:
    outbox = an_outbox()
    for topic, number, urgent in puts:
        outbox.put(message(topic, str(number)), urgent=urgent)
    reported = emptied(outbox)
    assert {m.topic: m.payload for m in reported} == {topic: str(n).encode() for topic, n, _ in puts}
    assert len(reported) == len({m.topic for m in reported})
    hurried = {topic for topic, _, urgent in puts if urgent}
    assert [m.topic in hurried for m in reported] == sorted(
        (m.topic in hurried for m in reported), reverse=True
    )


@given(st.integers(min_value=1, max_value=10**10))
def test_expiry_is_rounded_up_to_a_whole_second(microseconds: int) -> None:
    seconds = message("a", expires_at=NOW + timedelta(microseconds=microseconds)).expiry(NOW)
    assert seconds is not None
    assert 0 <= seconds * 10**6 - microseconds < 10**6


def test_an_expiry_is_not_longer_than_a_packet_can_state() -> None:
    assert message("a", expires_at=datetime.max.replace(tzinfo=UTC)).expiry(NOW) == 2**32 - 1


def test_what_does_not_expire_has_no_expiry() -> None:
    assert message("a").expiry(NOW) is None
    assert not message("a").expired(NOW)


def test_a_room_is_owed_until_all_its_topics_are_acknowledged() -> None:
    owed = InitialPublication(["rooms"])
    owed.add_room("a")
    owed.acknowledge("rooms")
    assert owed
    owed.start_room("a", ["a/state", "a/status"])
    owed.acknowledge("a/state")
    owed.acknowledge("a/state")
    assert owed
    owed.acknowledge("a/status")
    assert not owed


def test_what_was_not_owed_is_not_for_its_turn() -> None:
    owed = InitialPublication([])
    owed.start_room("a", ["a/state"])
    assert not owed


def test_of_a_room_that_is_gone_before_its_turn_nothing_is_owed() -> None:
    owed = InitialPublication([])
    owed.add_room("a")
    owed.drop_room("a")
    assert not owed


def test_a_room_that_is_published_replaces_what_waits_on_its_topics_and_on_no_other() -> None:
    outbox = an_outbox()
    outbox.put(message("a/state", "old"))
    outbox.put(clear("a/status"))
    outbox.put(message("b/state", "1"))
    outbox.put_room(statement("a"))
    assert emptied(outbox) == [message("b/state", "1"), *messages_of(statement("a"))]
    outbox.put(message("a/state", "new"))
    assert emptied(outbox) == [message("a/state", "new")]
