"""Which of the messages in flight is blamed for the end of a connection, and when it is tried again."""

from __future__ import annotations

from placed.mqtt.suspect_messages import DisconnectCauses, SentMessage
from placed.mqtt.topics import Topics

TOPICS = Topics("placed")


def disconnect_causes() -> DisconnectCauses:
    return DisconnectCauses(TOPICS.pattern_of)


def sent(*names: str, size: int = 100) -> list[SentMessage]:
    return [SentMessage(TOPICS.state(name), size) for name in names]


def test_one_disconnect_identifies_no_message() -> None:
    found = disconnect_causes()
    assert found.disconnected(sent("a", "b", "c")) is None
    assert not found.excludes(TOPICS.state("a"), 100)
    assert found.is_suspect(TOPICS.state("a"))
    found.acknowledged(TOPICS.state("a"), 100)
    assert not found.is_suspect(TOPICS.state("a"))


def test_a_message_in_flight_twice_and_then_alone_is_identified() -> None:
    found = disconnect_causes()
    found.disconnected(sent("a", "b"))
    found.acknowledged(TOPICS.state("a"), 100)
    assert found.disconnected(sent("b")) == SentMessage(TOPICS.state("b"), 100)
    assert found.excludes(TOPICS.state("b"), 100)
    assert not found.excludes(TOPICS.state("a"), 100)


def test_with_other_messages_in_flight_none_is_identified() -> None:
    found = disconnect_causes()
    found.disconnected(sent("a", "b"))
    assert found.disconnected(sent("b", "c")) is None
    assert all(found.is_suspect(TOPICS.state(name)) for name in "abc")


def test_a_suspect_alone_under_load_is_sent_first_and_then_identified() -> None:
    found = disconnect_causes()
    found.disconnected(sent("a", "b", "c"), loaded=True)
    found.acknowledged(TOPICS.state("a"), 100)
    assert found.disconnected(sent("c"), finished=False, loaded=True) is None
    assert not found.excludes(TOPICS.state("c"), 100)
    assert found.suspects == (TOPICS.state("c"), TOPICS.state("b"))
    assert found.disconnected(sent("c"), finished=False) == SentMessage(TOPICS.state("c"), 100)


def test_a_suspect_acknowledged_later_is_cleared_of_suspicion() -> None:
    found = disconnect_causes()
    found.disconnected(sent("a"), loaded=True)
    found.disconnected(sent("a"), loaded=True)
    found.acknowledged(TOPICS.state("a"), 100)
    assert not found.active
    assert found.suspects == ()


def test_disconnects_without_messages_in_flight_identify_none() -> None:
    found = disconnect_causes()
    for _ in range(5):
        assert found.disconnected([]) is None
    assert not found.active


def test_after_some_ends_with_nothing_to_blame_messages_go_more_slowly() -> None:
    found = disconnect_causes()
    paces = []
    for number in range(9):
        found.disconnected(sent(f"a{number}", f"b{number}"), finished=False)
        paces.append(found.send_interval)
    assert paces == [0.0, 0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.1]
    found.disconnected(sent("z", "y"), finished=True)
    assert found.send_interval == 0.0


def test_ends_that_are_blamed_on_messages_slow_down_nothing() -> None:
    found = disconnect_causes()
    for number in range(9):
        for _ in range(2):
            found.disconnected(sent(f"a{number}"), finished=False)
        assert found.send_interval == 0.0


def test_what_is_left_out_is_tried_soon_and_then_seldom() -> None:
    found, topic = disconnect_causes(), TOPICS.state("a")
    found.disconnected(sent("a"))
    found.disconnected(sent("a"))
    assert found.next_trial(10.0) is None
    assert found.next_trial(12.0) == topic
    assert found.next_trial(12.5) is None  # it is under way
    assert not found.excludes(topic, 100)
    assert found.disconnected(sent("a")) == SentMessage(topic, 100)
    waits = []
    now = 100.0
    for _ in range(6):
        assert found.next_trial(now) is None
        began = now
        while found.next_trial(now) is None:
            now += 10.0
        waits.append(now - began)
        found.disconnected(sent("a"))
    assert waits == [300.0, 600.0, 1200.0, 2400.0, 3600.0, 3600.0]


def test_where_a_message_that_clears_ends_the_connection_as_well_the_trials_stay_seldom() -> None:
    """After a trial of the larger message, clearing is not tried again, nor is the trial itself soon."""
    found, topic = disconnect_causes(), TOPICS.state("a")
    found.acknowledged(TOPICS.state("b"), 1000)
    found.disconnected([SentMessage(topic, 900)])
    found.disconnected([SentMessage(topic, 900)])
    assert found.may_clear(topic, 50)
    found.disconnected([SentMessage(topic, 50)])
    assert not found.may_clear(topic, 50)
    assert found.next_trial(0.0) is None
    assert found.next_trial(2.0) == topic
    found.disconnected([SentMessage(topic, 900)])
    assert not found.may_clear(topic, 50)
    assert found.excludes(topic, 900)
    found.disconnected([SentMessage(topic, 50)])
    assert found.next_trial(10.0) is None
    assert found.next_trial(300.0) is None
    assert found.next_trial(310.0) == topic


def test_when_a_trial_is_taken_the_next_one_follows_at_once() -> None:
    found = disconnect_causes()
    for name in ("a", "b"):
        found.disconnected(sent(name))
        found.disconnected(sent(name))
    assert found.excludes(TOPICS.state("z"), 100)  # like two that ended the connection
    found.next_trial(0.0)
    first = found.next_trial(2.0)
    assert first == TOPICS.state("z")
    assert found.acknowledged(first, 100)
    assert not found.excludes(TOPICS.state("y"), 100)
    assert {found.next_trial(2.1)} == {TOPICS.state("a")}


def test_what_becomes_smaller_than_something_that_was_taken_is_sent() -> None:
    found, topic = disconnect_causes(), TOPICS.state("a")
    found.acknowledged(TOPICS.state("b"), 400)
    found.disconnected([SentMessage(topic, 900)])
    found.disconnected([SentMessage(topic, 900)])
    assert found.excludes(topic, 900)
    assert not found.excludes(topic, 400)
    found.acknowledged(topic, 400)
    assert found.excludes(topic, 900)
