"""Rooms come and go, while the daemon runs and while it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.mqtt.removed_rooms import removed_rooms
from placed.mqtt.room_index import LARGEST, MOST, Entry, earlier_rooms
from placed.settings.output_settings import HomeAssistant
from tests.component.mqtt.test_publisher import becomes
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import IMPATIENT, PublisherSetup, room, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.mosquitto import Mosquitto


async def kept(broker: Mosquitto) -> set[str]:
    """The rooms that the broker still holds something of."""
    async with Subscriber(broker, "placed/rooms/#") as late:
        await late.caught_up()
    return {topic.split("/")[2] for topic in late.latest if topic.count("/") > 1}


async def test_a_room_that_is_removed_is_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)), Subscriber(mosquitto, "placed/#") as seen:
        publisher_setup.enroll("library")
        for topic in ("state", "availability", "occupied", "status"):
            await seen.message(f"placed/rooms/boardroom/{topic}", "")
        index = await seen.until(lambda a: a.topic == "placed/rooms" and b"boardroom" not in a.payload)
        assert [r["id"] for r in index.document["rooms"]] == ["library"]
        assert await kept(mosquitto) == {"library"}


async def test_a_room_that_is_removed_while_the_broker_is_away_is_cleared(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(persistence=True)
    publisher = publisher_setup.publisher(broker)
    async with running(publisher):
        await broker.stop()
        await becomes(lambda: not publisher.connected)
        publisher_setup.enroll("library")
        await broker.start()
        await becomes(lambda: publisher.connected and not publisher._context.retained_rooms.to_clear)
        assert await kept(broker) == {"library"}


async def test_a_room_that_comes_back_is_not_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)), Subscriber(mosquitto, "placed/#") as seen:
        publisher_setup.enroll("library")
        publisher_setup.enroll("library", "boardroom")
        publisher_setup.read("boardroom")
        await seen.message("placed/rooms/boardroom/status", "free")
        assert await kept(mosquitto) == {"library", "boardroom"}


async def test_a_room_is_in_the_index_as_soon_as_it_is_published(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """Should the daemon end in that moment, the next one knows of it by the index alone."""
    patient = replace(IMPATIENT, debounce=3600.0)
    async with (
        running(publisher_setup.publisher(mosquitto, timing=patient)),
        Subscriber(mosquitto, "placed/#") as seen,
    ):
        publisher_setup.enroll("attic", connection="fabrikam")
        await seen.until(lambda a: a.topic == "placed/rooms" and b"attic" in a.payload)
        publisher_setup.enroll("attic", "cellar", connection="fabrikam")
        await seen.until(lambda a: a.topic == "placed/rooms" and b"cellar" in a.payload)


async def test_rooms_of_an_earlier_run_are_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)):
        pass
    later = PublisherSetup(epoch=8)
    publisher = later.publisher(mosquitto)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        # Until the connection has listed its rooms, the rooms of an earlier run and their messages are kept.
        index = await seen.until(lambda a: a.topic == "placed/rooms" and a.document["epoch"] == 8)
        assert [r["id"] for r in index.document["rooms"]] == ["boardroom", "library"]
        assert await kept(mosquitto) == {"boardroom", "library"}
        later.enroll("library")
        later.read("library")
        later.report()
        await seen.message("placed/rooms/boardroom/state", "")
        await becomes(lambda: not publisher._context.retained_rooms.to_clear)
        assert await kept(mosquitto) == {"library"}


async def test_without_expiry_rooms_of_an_earlier_run_are_unknown_at_once(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto, protocol="3.1.1")):
        pass
    later = PublisherSetup(epoch=8)
    async with (
        running(later.publisher(mosquitto, protocol="3.1.1"), published=False),
        Subscriber(mosquitto, "placed/rooms/#") as seen,
    ):
        await seen.message("placed/rooms/boardroom/availability", "offline")
        await seen.message("placed/rooms/boardroom/status", "unknown")
        await seen.caught_up()
        assert "placed/rooms/boardroom/occupied" not in seen.latest


async def test_plain_topics_that_are_switched_off_are_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto)):
        pass
    later = PublisherSetup(epoch=8)
    later.enroll("boardroom", "library")
    async with (
        running(later.publisher(mosquitto, plain_topics=False)),
        Subscriber(mosquitto, "placed/rooms/+/+") as seen,
    ):
        await seen.caught_up()
        if left := {t for t in seen.latest if t.endswith(("/occupied", "/status"))}:
            await seen.until(lambda _: not left & seen.latest.keys())
        assert {t.rpartition("/")[2] for t in seen.latest} == {"state", "availability"}


@pytest.mark.parametrize(
    "index",
    [
        b"no JSON",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"rooms":5}',
        b'{"rooms":[[[]]]}',
        b"[" * 100_000,
        b'{"rooms":[' + b"[" * 100_000,
        json.dumps(
            {
                "rooms": [
                    {"id": i, "name": "n", "connection": "gone"}
                    for i in ("#", "+", "a/b", "../x", "", "a b", "\x00", "BOARD", "ä", "x" * 999)
                ]
            }
        ).encode(),
        b'{"rooms":[{"id":"boardroom","connection":"gone","name":7}]}',
    ],
    ids=range(10),
)
async def test_an_index_that_is_wrong_or_hostile_does_no_harm(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, index: bytes
) -> None:
    async with Subscriber(mosquitto, "placed/#") as seen:
        await seen.publish("placed/rooms", index, retain=True)
        await seen.publish("placed/rooms/a/b/state", "kept", retain=True)
        async with running(publisher_setup.publisher(mosquitto)):
            await seen.until(lambda a: a.topic == "placed/rooms" and a.payload[:12] == b'{"schema":1,')
            await seen.caught_up()
        assert [a.topic for a in seen.arrivals if not a.payload] == []


@pytest.mark.slow  # hypothesis draws hundreds of indexes
async def test_whatever_an_index_names_nothing_outside_is_written_and_states_go_first(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    ghosts = [{"id": f"ghost-{n}", "name": "", "connection": "gone"} for n in range(300)]
    forged = {"schema": 1, "epoch": 2**40, "rooms": ghosts, "discovery": "factory/line"}
    async with Subscriber(mosquitto, "#") as seen:
        await seen.publish("placed/rooms", json.dumps(forged), retain=True)
        publisher = publisher_setup.publisher(mosquitto, home_assistant=HomeAssistant(discovery=True))
        async with running(publisher):
            await publisher.published()
            await becomes(lambda: not publisher._context.retained_rooms.to_clear)
            await seen.caught_up()
        assert {a.topic.partition("/")[0] for a in seen.arrivals} <= {"placed", "homeassistant"}
        order = [a.topic for a in seen.arrivals]
        cleared = [n for n, a in enumerate(seen.arrivals) if not a.payload and "ghost" in a.topic]
        assert len(cleared) >= 300
        states = [f"placed/rooms/{room_id}/state" for room_id in ("boardroom", "library")]
        assert max(order.index(topic) for topic in states) < cleared[0]
        assert order.index("placed/bridge/state") < cleared[0]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_forged_index_delays_no_change(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, protocol: str
) -> None:
    ghosts = [{"id": f"ghost-{n}", "name": "", "connection": "contoso"} for n in range(3000)]
    forged = {"schema": 1, "epoch": 2**40, "rooms": ghosts, "discovery": "homeassistant"}
    async with Subscriber(mosquitto, "placed/rooms/#") as seen:
        await seen.publish("placed/rooms", json.dumps(forged), retain=True)
        publisher = publisher_setup.publisher(mosquitto, protocol=protocol)
        async with running(publisher, published=False):
            await seen.message("placed/rooms/library/status", "free")
            publisher_setup.book("library")
            changed = await seen.message("placed/rooms/library/status", "busy")
            place = seen.arrivals.index(changed)
            assert sum("ghost" in a.topic for a in seen.arrivals[:place]) < 3000


# --- pure ---------------------------------------------------------------------------------------------------


@given(
    st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["rooms", "id", "x"]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_only_ids_that_a_room_can_have_come_out_of_an_index(payload: bytes) -> None:
    for room_id, entry in earlier_rooms(payload).items():
        assert room_id == entry.id
        assert room_id
        assert set(room_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_of_a_huge_index_only_so_much_is_looked_at() -> None:
    entries = [{"id": f"r{i}", "name": "", "connection": "c"} for i in range(MOST + 10)]
    assert len(earlier_rooms(json.dumps({"rooms": entries}).encode())) == MOST
    assert earlier_rooms(json.dumps({"rooms": entries}).encode() + b" " * LARGEST) == {}


def entry(room_id: str, connection: str) -> Entry:
    return Entry(id=room_id, name=room_id, connection=connection)


def health(**states: str) -> dict[str, ConnectionHealth]:
    return {name: ConnectionHealth(name, "d", ConnectionState(state)) for name, state in states.items()}


EARLIER = {"a1": entry("a1", "a"), "a2": entry("a2", "a"), "b1": entry("b1", "b"), "z1": entry("z1", "z")}


@pytest.mark.parametrize(
    ("states", "rooms", "expected"),
    [
        ({"a": "ok", "b": "starting"}, [room("a1", "a")], set()),
        ({"a": "ok"}, [room("a1", "a")], set()),
        ({"a": "ok", "b": "ok"}, [room("a1", "a")], {"a2", "b1", "z1"}),
        ({"a": "ok", "b": "failing"}, [room("a1", "a")], {"a2", "z1"}),
        ({"a": "failing", "b": "failing"}, [room("a1", "a"), room("b1", "b")], {"a2", "z1"}),
        ({"a": "ok", "b": "ok"}, [room("a1", "a"), room("a2", "b"), room("b1", "b")], {"z1"}),
        ({"a": "refused", "b": "breached"}, [], {"z1"}),
    ],
    ids=[
        "while a connection is starting none is",
        "while a connection has not reported its health none is",
        "all of connections that know their rooms, or are not configured any more",
        "not those of a connection that could not list its rooms",
        "a connection that fails knows its rooms once it has listed some",
        "not one that moved to another connection",
        "not those of connections that are refused",
    ],
)
def test_which_rooms_of_an_earlier_run_are_gone(
    states: dict[str, str], rooms: list[object], expected: set[str]
) -> None:
    assert removed_rooms(EARLIER, rooms, ("a", "b"), health(**states)) == expected  # type: ignore[arg-type]


def test_rooms_that_a_single_list_of_this_run_lacks_are_not_gone() -> None:
    """After the stored list is lost, nothing else shows that the list of a group lacks rooms, or all."""
    unsure = health(a="ok", b="ok")
    unsure["a"] = structs.replace(unsure["a"], rooms_are_sure=False)
    for rooms in ([], [room("a1", "a")]):
        assert removed_rooms(EARLIER, rooms, ("a", "b"), unsure) == {"b1", "z1"}
