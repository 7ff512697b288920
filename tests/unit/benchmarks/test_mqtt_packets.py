from __future__ import annotations

from tests.benchmarks.harness.mqtt_packets import end_of, messages, subscribe

RETAINED = (
    b"\x31\x1b\x00\x0aa/b/c/d/ee\x07\x01\x01\x02\x00\x00\x00\x3c"  # UTF-8, for a minute
    b"payload"
)
LONG = b"\x30\xcb\x01\x00\x01t\x00" + b"x" * 199
PING = b"\xd0\x00"


def test_messages_are_found_among_other_packets() -> None:
    first, second = messages(RETAINED + PING + LONG)
    assert (first.topic, first.payload, first.retain) == ("a/b/c/d/ee", b"payload", True)
    assert first.properties.MessageExpiryInterval == 60  # type: ignore[attr-defined] # paho sets it by name
    assert (second.topic, second.payload, second.retain) == ("t", b"x" * 199, False)


def test_a_packet_that_is_not_all_there_has_no_end_yet() -> None:
    for size in range(len(LONG)):
        assert end_of(LONG[:size], 0) is None
    assert end_of(LONG + PING, 0) == len(LONG)


def test_the_subscription_leaves_retain_as_it_was_published() -> None:
    assert subscribe("a/#") == b"\x82\x09\x00\x01\x00\x00\x03a/#\x08"
