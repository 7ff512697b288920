"""What messages of real sensors give: one row for each source and kind of message."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.presence import Reading
from placed.sensors.payload.expression import compiled
from placed.sensors.payload.message_to_reading import LARGEST_PAYLOAD, NoReading, PayloadMapping, availability

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HALF_PAST = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def read(payload: str | bytes, **expressions: str) -> tuple[bool, int | None] | NoReading | None:
    data = payload.encode() if isinstance(payload, str) else payload
    mapped = PayloadMapping(**expressions).read(data, NINE)
    return mapped.nothing if mapped.reading is None else (mapped.reading.present, mapped.reading.count)


ROWS = [
    # zigbee2mqtt: https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
    ("occupancy", '{"occupancy":true,"battery":100,"linkquality":90}', True),
    ("occupancy", '{"occupancy":false,"illuminance":20}', False),
    ("presence", '{"presence":true,"duration_of_absence":0}', True),
    ("occupancy", '{"no_occupancy_since":60}', None),
    ("occupancy", '{"battery":97,"voltage":3000}', None),
    ("occupancy", '{"occupancy":"ON"}', True),
    ("occupancy || presence", '{"presence":false}', False),
    # Tasmota: https://tasmota.github.io/docs/PIR-Motion-Sensors/
    ("PIR1", '{"PIR1":"ON"}', True),
    ("Switch1", '{"Time":"2026-03-02T09:00:00","Switch1":"OFF"}', False),
    ("Switch1", '{"Time":"2026-03-02T09:00:00","ANALOG":{"Temperature":21.4}}', None),
    # ESPHome: https://esphome.io/components/mqtt.html
    ("@", "ON", True),
    ("@", "OFF", False),
    # Home Assistant's MQTT Statestream: https://www.home-assistant.io/integrations/mqtt_statestream/
    ("@", "on", True),
    ("@", "off", False),
    # Homie 5: https://homieiot.github.io/specification/
    ("@", "true", True),
    ("@", "false", False),
    ("@", "occupied", True),
    ("@", "unoccupied", False),
    # ChirpStack 4: https://www.chirpstack.io/docs/chirpstack/integrations/events.html
    ("object.occupancy", '{"deduplicationId":"3ac7","fCnt":10,"object":{"occupancy":"occupied"}}', True),
    ("object.occupancy", '{"deduplicationId":"3ac7","fCnt":11,"object":{"occupancy":"vacant"}}', False),
    ("object.occupancy", '{"deduplicationId":"3ac7","fCnt":12,"data":"AXVkA2c="}', None),
    # The Things Stack: https://www.thethingsindustries.com/docs/integrations/other-integrations/mqtt/
    ("uplink_message.decoded_payload.motion", '{"uplink_message":{"decoded_payload":{"motion":1}}}', True),
    ("uplink_message.decoded_payload.motion", '{"uplink_message":{"decoded_payload":{"light":3}}}', None),
    # Disruptive Technologies: https://developer.disruptive-technologies.com/docs/concepts/events
    ("event.data.motion.state", '{"event":{"data":{"motion":{"state":"MOTION_DETECTED"}}}}', True),
    ("event.data.motion.state", '{"event":{"data":{"motion":{"state":"NO_MOTION_DETECTED"}}}}', False),
    ("event.data.motion.state", '{"event":{"eventType":"networkStatus","data":{}}}', None),
    # comparisons: a field that is missing is no reading
    ("state == 'ON'", '{"state":"ON"}', True),
    ("state == 'ON'", '{"state":"OFF"}', False),
    ("state == 'ON'", '{"battery":20}', None),
    ("!vacant", '{"vacant":true}', False),
    ("!vacant", "{}", None),
    ("distance < `300`", '{"distance":120}', True),
    ("distance < `300`", '{"distance":null}', None),
]


@pytest.mark.parametrize(("expression", "payload", "present"), ROWS)
def test_presence(expression: str, payload: str, present: bool | None) -> None:  # noqa: FBT001 - a row
    found = read(payload, presence=expression)
    assert found == (NoReading.NO_VALUE if present is None else (present, None))


COUNTS = [
    # Milesight VS121, decoded: https://github.com/Milesight-IoT/SensorDecoders
    ("object.people_counter_all", '{"object":{"people_counter_all":4,"region_count":2}}', 4),
    ("object.people_counter_all", '{"object":{"people_counter_all":0}}', 0),
    ("object.people_counter_all", '{"object":{"in":3,"out":1}}', None),
    # Butlr, by webhook: https://docs.butlr.io/
    ("data.occupancy", '{"type":"ROOM_OCCUPANCY","timestamp":1772442000000,"data":{"occupancy":2}}', 2),
    # VergeSense, by webhook
    ("person_count", '{"person_count":"3","signs_of_life":true}', 3),
    # a sum over the fields of one message
    ("sum([object.region_0, object.region_1])", '{"object":{"region_0":1,"region_1":2}}', 3),
    ("sum([object.region_0, object.region_1])", '{"object":{"region_0":1}}', None),
]


@pytest.mark.parametrize(("expression", "payload", "count"), COUNTS)
def test_count(expression: str, payload: str, count: int | None) -> None:
    found = read(payload, count=expression)
    assert found == (NoReading.NO_VALUE if count is None else (count > 0, count))


def test_presence_and_count_of_one_message() -> None:
    message = '{"signs_of_life":true,"person_count":0}'
    assert read(message, presence="signs_of_life", count="person_count") == (True, 0)


def test_a_room_in_which_people_are_counted_is_not_empty() -> None:
    message = '{"signs_of_life":false,"person_count":3}'
    assert read(message, presence="signs_of_life", count="person_count") == (True, 3)


@pytest.mark.parametrize("word", ["unavailable", "unknown", "Unavailable"])
def test_a_lost_device_is_not_empty(word: str) -> None:
    assert read(word, presence="@") is NoReading.UNAVAILABLE


@pytest.mark.parametrize(
    "payload",
    ["-1", "NaN", "1e999", "[]", "{}", '"maybe"', "", "{", '"null"', "1e300", "[true]", "9" * 4000, '"1_0"'],
)
def test_what_is_not_listed_is_no_reading(payload: str) -> None:
    assert read(payload, presence="@") is NoReading.UNUSABLE_VALUE
    assert read(payload, count="@") is NoReading.UNUSABLE_VALUE


def test_null_is_no_reading() -> None:
    assert read("null", presence="@") is NoReading.NO_VALUE


def test_a_message_that_is_too_large_or_not_utf8_is_no_reading() -> None:
    assert read(b"1" * (LARGEST_PAYLOAD + 1), presence="@") is NoReading.TOO_LARGE
    assert read(b"\xff\xfe", presence="@") is NoReading.NOT_UTF8


def test_a_byte_order_mark_before_a_message_is_skipped() -> None:
    assert read(b'\xef\xbb\xbf{"on":true}', presence="on") == (True, None)
    assert read(b"\xef\xbb\xbfOFF", presence="@") == (False, None)


def test_deep_nesting_is_no_reading() -> None:
    assert read("[" * 30_000, presence="@") is NoReading.UNUSABLE_VALUE


@pytest.mark.parametrize(
    "at", ['"2026-03-02T08:30:00Z"', '"2026-03-02T09:30:00+01:00"', "1772440200", "1772440200000"]
)
def test_the_moment_of_measurement_is_taken_from_the_message(at: str) -> None:
    mapping = PayloadMapping(presence="on", at="time")
    payload = f'{{"on":true,"time":{at}}}'.encode()
    assert mapping.read(payload, NINE, retained=True).reading == Reading(present=True, at=HALF_PAST)


@pytest.mark.parametrize(
    "at", ["null", '"2026-03-02T08:30:00"', '"yesterday"', "-5", "1e30", "true", "9" * 400]
)
def test_without_a_usable_moment_a_reading_is_of_its_arrival(at: str) -> None:
    mapping = PayloadMapping(presence="on", at="time")
    payload = f'{{"on":true,"time":{at}}}'.encode()
    assert mapping.read(payload, NINE).reading == Reading(present=True, at=NINE)
    assert mapping.read(payload, NINE, retained=True).reading == Reading(
        present=True, at=NINE, of_unknown_age=True
    )


def test_the_device_is_taken_from_the_message() -> None:
    mapping = PayloadMapping(count="data.occupancy", device="data.room_custom_id")
    mapped = mapping.read(b'{"data":{"occupancy":2,"room_custom_id":"R12"}}', NINE)
    assert mapped.device == "R12"


@pytest.mark.parametrize(
    "expression",
    [
        *("a b", "a..b", "foo(", "a[", "unknown_function(@) ||", ""),
        *(
            "lenght(people)",
            "a || max(lenght(people))",
            "people[?lenght(@)]",
            "length()",
            "length(a, b)",
            "not_null()",
        ),
    ],
)
def test_what_is_not_jmespath_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="expected a JMESPath expression"):
        PayloadMapping(presence=expression)


@pytest.mark.parametrize(
    ("payload", "available"),
    [("Online", True), ("online", True), ("Offline", False), ("offline", False), ("lost", False), ("", None)],
)
def test_availability_by_word(payload: str, available: bool | None) -> None:  # noqa: FBT001 - a row
    offline = frozenset(("offline", "lost"))
    assert availability(compiled("@"), offline, payload.encode()) is available


def test_availability_by_path() -> None:
    state = compiled("state")
    offline = frozenset(("offline",))
    assert availability(state, offline, b'{"state":"offline"}') is False
    assert availability(state, offline, b'{"state":"online"}') is True
    assert availability(state, offline, b"{}") is None


values = st.sampled_from([None, True, False, 1, -1, "ON", {"q": 1}, [], [1]])
paths = st.sampled_from(
    ["a", "a.b", "a == 'ON'", "!a", "a || b", "a && b", "a > `1`", "a.b == c", "length(a)"]
)


@given(paths, st.dictionaries(st.sampled_from("xyz"), values, max_size=3))
def test_a_frame_without_the_field_never_gives_a_reading(expression: str, frame: dict[str, object]) -> None:

    assert PayloadMapping(presence=expression).read(msgspec.json.encode(frame), NINE).reading is None


@given(st.binary(max_size=200), paths)
def test_any_bytes_give_a_reading_or_a_reason(payload: bytes, expression: str) -> None:
    mapped = PayloadMapping(presence=expression).read(payload, NINE)
    assert (mapped.reading is None) != (mapped.nothing is None)
