from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from placed.mqtt.messages import Message
from placed.mqtt.outbox import Outbox

NOW = datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC)


def message(topic: str, payload: str = "", **more: object) -> Message:
    return Message(topic, payload.encode(), **more)  # type: ignore[arg-type]


def emptied(outbox: Outbox, now: datetime = NOW) -> list[Message]:
    taken = []
    while (found := outbox.take(now)[0]) is not None:
        taken.append(found)
    return taken


def test_of_a_topic_the_latest_is_told_at_the_firsts_turn() -> None:
    outbox = Outbox()
    for topic, payload in (("a", "1"), ("b", "1"), ("a", "2")):
        outbox.put(message(topic, payload))
    assert len(outbox) == 2
    assert emptied(outbox) == [message("a", "2"), message("b", "1")]


def test_the_urgent_goes_first_and_takes_its_topic_along() -> None:
    outbox = Outbox()
    outbox.put(message("a", "1"))
    outbox.put(message("b", "1"))
    outbox.put(message("b", "2"), urgent=True)
    assert emptied(outbox) == [message("b", "2"), message("a", "1")]


def test_what_is_not_urgent_does_not_slow_down_what_was() -> None:
    outbox = Outbox()
    outbox.put(message("a", "1"))
    outbox.put(message("b", "1"), urgent=True)
    outbox.put(message("b", "2"))
    assert emptied(outbox) == [message("b", "2"), message("a", "1")]


def test_what_is_not_kept_is_told_one_by_one() -> None:
    outbox = Outbox()
    events = [message("e", str(i), retain=False) for i in range(3)]
    outbox.put(message("a"))
    for event in events:
        outbox.put(event)
    assert emptied(outbox) == [*events, message("a")]


def test_what_has_outlived_its_time_is_not_told() -> None:
    outbox = Outbox()
    outbox.put(old := message("a", expires_at=NOW))
    outbox.put(new := message("b", expires_at=NOW + timedelta(microseconds=1)))
    assert outbox.take(NOW) == (new, [old])
    assert outbox.take(NOW) == (None, [])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(), st.booleans())))
def test_the_latest_of_each_topic_is_told_exactly_once(puts: list[tuple[str, int, bool]]) -> None:
    outbox = Outbox()
    for topic, number, urgent in puts:
        outbox.put(message(topic, str(number)), urgent=urgent)
    told = emptied(outbox)
    assert {m.topic: m.payload for m in told} == {topic: str(n).encode() for topic, n, _ in puts}
    assert len(told) == len({m.topic for m in told})
    hurried = {topic for topic, _, urgent in puts if urgent}
    assert [m.topic in hurried for m in told] == sorted((m.topic in hurried for m in told), reverse=True)


@given(st.integers(min_value=1, max_value=10**10))
def test_expiry_is_rounded_up_to_a_whole_second(microseconds: int) -> None:
    seconds = message("a", expires_at=NOW + timedelta(microseconds=microseconds)).expiry(NOW)
    assert seconds is not None
    assert 0 <= seconds * 10**6 - microseconds < 10**6


def test_what_does_not_expire_has_no_expiry() -> None:
    assert message("a").expiry(NOW) is None
    assert not message("a").outlived(NOW)
