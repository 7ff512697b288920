"""When discovery is taken back: rooms that are gone, another prefix, the setting switched off."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from placed.disconnect import topic_clearing
from placed.mqtt.room_index import earlier_discovery
from placed.settings.output_settings import HomeAssistant, Mqtt
from tests.component.mqtt.discovery_at_broker import announced, expected, kept, nothing_announced
from tests.component.mqtt.test_home_assistant_discovery import DISCOVERY, OCCUPANCY
from tests.component.mqtt.test_publisher import becomes
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, cut, running

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto


async def earlier_run(broker: Mosquitto, publisher_setup: PublisherSetup, *rooms: str) -> None:
    """A daemon published the discovery of all rooms, and has ended."""
    async with running(publisher_setup.publisher(broker, home_assistant=DISCOVERY)):
        await announced(broker, *(rooms or ("boardroom", "library")))


async def test_a_room_that_is_removed_is_taken_back(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
        await announced(mosquitto, "boardroom", "library")
        publisher_setup.enroll("library")
        await announced(mosquitto, "library")


async def test_a_room_that_returns_at_once_is_published_again(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
        await announced(mosquitto, "boardroom", "library")
        async with Subscriber(mosquitto, "homeassistant/#") as seen:
            await seen.caught_up()
            publisher_setup.enroll("library")
            publisher_setup.enroll("library", "boardroom")
            before = len(seen.arrivals)
            await seen.message(OCCUPANCY, after=before)
        await announced(mosquitto, "boardroom", "library")


async def test_rooms_of_an_earlier_run_are_taken_back_when_they_are_gone(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    async with (
        running(later.publisher(mosquitto, home_assistant=DISCOVERY)),
        Subscriber(mosquitto, "placed/rooms") as seen,
    ):
        index = await seen.until(lambda a: a.topic == "placed/rooms" and a.document["epoch"] == 8)
        assert index.document["discovery"] == "homeassistant"
        assert (await kept(mosquitto)).keys() == expected("boardroom", "library")  # may not be gone
        later.enroll("library")
        later.report()
        await announced(mosquitto, "library")


async def test_where_it_is_switched_off_everything_is_taken_back(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    later.enroll("library")
    later.report()
    publisher = later.publisher(mosquitto)
    async with running(publisher):
        await nothing_announced(mosquitto)
        await becomes(lambda: not publisher._context.retained_rooms.to_clear)
        assert "discovery" not in (await kept(mosquitto, "placed/rooms"))["placed/rooms"].document


async def test_what_could_not_be_taken_back_before_the_connection_broke_is_taken_back_after(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    publisher = later.publisher(mosquitto)
    found = publisher._context.retained_rooms.add_earlier

    def and_then_it_breaks(*earlier: Any) -> list[str]:
        if not publisher.reconnects:
            cut(publisher)
        return found(*earlier)

    monkeypatch.setattr(publisher._context.retained_rooms, "add_earlier", and_then_it_breaks)
    async with running(publisher, published=False):
        await becomes(lambda: publisher.reconnects == 1 and publisher.first_published.is_set())
        await nothing_announced(mosquitto)
        await becomes(lambda: not publisher._context.retained_rooms.to_clear)


async def test_configs_under_another_prefix_are_kept_and_reported(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """Anybody who may publish can have written an index that names any prefix."""
    await earlier_run(mosquitto, publisher_setup)
    elsewhere = HomeAssistant(discovery=True, discovery_prefix="ha")
    with capture_logs() as log:
        async with running(publisher_setup.publisher(mosquitto, home_assistant=elsewhere)) as task:
            await announced(mosquitto, "boardroom", "library", prefix="ha")
            assert not task.done()
    assert expected("boardroom", "library") <= (await kept(mosquitto)).keys()
    (named,) = [entry for entry in log if entry["event"] == "home_assistant.earlier_prefix_is_left"]
    assert named["prefix"] == "homeassistant"
    assert "homeassistant/+/placed/+/config" in named["remedy"]


async def test_a_connection_that_is_disconnected_is_taken_back(mosquitto: Mosquitto) -> None:
    publisher_setup = PublisherSetup("contoso", "fabrikam")
    publisher_setup.enroll("boardroom")
    publisher_setup.enroll("attic", connection="fabrikam")
    for connection in publisher_setup.connections:
        publisher_setup.report(connection)
    await earlier_run(mosquitto, publisher_setup, "attic", "boardroom")
    await topic_clearing.clear(Mqtt(url=mosquitto.url), "fabrikam")
    assert (await kept(mosquitto)).keys() == expected("boardroom")


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "#",
        "a/#",
        "+",
        "$SYS",
        "/",
        "a//b",
        "a/",
        "ä",
        "a b",
        "\x00",
        "\ud800",
        "x" * 999,
        7,
        ["a"],
        {"a": 1},
    ],
    ids=range(16),
)
async def test_a_prefix_that_is_wrong_or_hostile_does_no_harm(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, prefix: object
) -> None:
    index = {"rooms": [{"id": "attic", "name": "n", "connection": "gone"}], "discovery": prefix}
    async with Subscriber(mosquitto, "#") as seen:
        await seen.publish("placed/rooms", json.dumps(index), retain=True)
        publisher = publisher_setup.publisher(mosquitto)
        async with running(publisher):
            await publisher.published()
            await becomes(lambda: not publisher._context.retained_rooms.to_clear)
            assert publisher.reconnects == 0
        await seen.caught_up()
    assert {a.topic.rpartition("/")[0] for a in seen.arrivals if not a.payload} <= {"placed/rooms/attic"}


@given(st.text() | st.text("a/+#$. -", max_size=5))
def test_an_earlier_prefix_is_one_that_can_be_published_under(prefix: str) -> None:
    found = earlier_discovery(json.dumps({"rooms": [], "discovery": prefix}).encode())
    assert found in (None, prefix)
    if found is not None:
        assert re.fullmatch(r"[!-~]+", found)
        assert not set(found) & set("+#$")
        assert all(found.split("/"))
