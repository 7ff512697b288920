"""The packet identifiers of one MQTT 5 connection."""

from __future__ import annotations

from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.v5_unanswered import Unanswered

LARGEST = 0xFFFF


async def test_packet_identifiers_begin_again_after_the_largest_without_those_in_use() -> None:
    unanswered = Unanswered(lambda: None)
    assert [unanswered.next_id() for _ in range(LARGEST)] == list(range(1, LARGEST + 1))
    unanswered.add_publish(1, lambda _: None)
    unanswered.add_request(2, unanswered.new_answer())
    assert unanswered.next_id() == 3
    unanswered.acknowledge(1, 0)
    unanswered.add_publish(LARGEST, lambda _: None)
    for _ in range(4, LARGEST):
        unanswered.next_id()
    assert unanswered.next_id() == 1
    unanswered.close(lambda: MqttError("closed"))
