"""Buttons in Home Assistant: which rooms have which, what they send, and when they are taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.action import Action
from placed.domain.command_message import InvalidCommand, read_payload
from placed.domain.command_sink import Offer
from placed.mqtt.discovery.buttons import BUTTONS, offered
from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher
from placed.mqtt.room_index import earlier_buttons
from placed.mqtt.topics import BUTTON_ENTITIES, Topics
from placed.settings.output_settings import HomeAssistant, Mqtt
from tests.support.home_assistant_templates import attributes_of, pressed
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import IMPATIENT, PublisherSetup, room, running

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto

NOW = datetime(2026, 1, 8, 9, 15, 7, tzinfo=UTC)
STATE = {
    "valid_until": "2026-01-08T09:30:00Z",
    "current": {"start": "2026-01-08T09:00:00Z", "end": "2026-01-08T09:45:00Z"},
    "check_in": {"state": "open", "meeting": "2026-01-08T09:00:00Z"},
}
START, END = (datetime(2026, 1, 8, 9, minute, tzinfo=UTC) for minute in (0, 45))
EVERYTHING = Offer(frozenset(Action))
BOOKING = Offer(frozenset({Action.BOOK}))
PREFIX = "homeassistant/button/placed"


def configs(offer: Offer | None) -> dict[str, Any]:
    """The config messages of the buttons of a room, by name."""
    found = discovery(offer).buttons(room("boardroom"))
    return {
        m.topic.removeprefix(f"{PREFIX}/boardroom_").partition("/")[0]: json.loads(m.payload) for m in found
    }


def discovery(offer: Offer | None) -> Discovery:
    offers = {"contoso": offer} if offer is not None else {}
    info = BridgeInfo("0.1", timedelta(minutes=15), ("contoso",), offers=offers)
    return Discovery(Topics("placed", discovery="homeassistant"), info, "homeassistant/status")


def status_config(offer: Offer | None) -> dict[str, Any]:
    """The config message of the status of a room."""
    found = discovery(offer).room(room("boardroom"))
    config: dict[str, Any] = next(json.loads(m.payload) for m in found if "_status/" in m.topic)
    return config


def shown(state: dict[str, Any], now: datetime = NOW) -> dict[str, Any]:
    """The attributes of the status."""
    return attributes_of(status_config(EVERYTHING)["json_attributes_template"], state, now)


def sent(name: str, state: dict[str, Any] | None = STATE) -> bytes:
    """What a button sends while the room has this state; None: it is unavailable."""
    template = configs(EVERYTHING)[name]["command_template"]
    return pressed(template, shown(state) if state is not None else None, NOW)


# --- which there are ----------------------------------------------------------------------------------------


def test_a_button_is_an_entity_of_the_room() -> None:
    config = configs(BOOKING)["book_30"]
    assert "random" in config.pop("command_template")
    assert config == {
        "name": "Book 30 minutes",
        "unique_id": "placed/rooms/boardroom/book_30",
        "object_id": "boardroom_book_30",
        "default_entity_id": "button.boardroom_book_30",
        "command_topic": "placed/rooms/boardroom/command/book",
        "retain": False,
        "qos": 1,
        "availability": [
            {"topic": "placed/bridge/state", "value_template": "{{ value_json.state }}"},
            {"topic": "placed/rooms/boardroom/availability"},
        ],
        "availability_mode": "all",
        "device": status_config(None)["device"],
        "origin": {"name": "placed", "sw_version": "0.1"},
    }


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        (None, set()),
        (EVERYTHING, set(BUTTON_ENTITIES)),
        (Offer(frozenset({Action.CHECK_IN})), {"check_in"}),
        (Offer(frozenset({Action.END, Action.EXTEND})), {"end", "extend_15"}),
        (BOOKING, {"book_15", "book_30", "book_60"}),
        (Offer(frozenset({Action.BOOK}), timedelta(minutes=30)), {"book_15", "book_30"}),
        (Offer(frozenset({Action.EXTEND}), timedelta(minutes=10)), set()),
    ],
)
def test_a_room_has_buttons_for_what_is_allowed(offer: Offer | None, names: set[str]) -> None:
    assert configs(offer).keys() == names


def test_every_button_has_topics() -> None:
    assert BUTTONS.keys() == BUTTON_ENTITIES.keys()


@pytest.mark.parametrize("offer", [None, BOOKING])
def test_the_status_has_no_attributes_where_no_button_needs_them(offer: Offer | None) -> None:
    assert not [key for key in status_config(offer) if "attributes" in key]


# --- what they send -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meeting", "until"),
    [
        ("check_in", START, None),
        ("end", START, None),
        ("extend_15", START, END + timedelta(minutes=15)),
        ("book_15", None, datetime(2026, 1, 8, 9, 30, tzinfo=UTC)),
        ("book_30", None, datetime(2026, 1, 8, 9, 45, tzinfo=UTC)),
        ("book_60", None, datetime(2026, 1, 8, 10, 15, tzinfo=UTC)),
    ],
)
def test_each_press_is_a_command_with_a_key_of_its_own(
    name: str, meeting: datetime | None, until: datetime | None
) -> None:
    commands = [read_payload(sent(name)) for _ in range(3)]
    assert len({command.key for command in commands}) == 3
    assert {(c.issued_at, c.meeting, c.until) for c in commands} == {(NOW, meeting, until)}


@pytest.mark.parametrize("name", ["check_in", "end", "extend_15"])
@pytest.mark.parametrize(
    "state",
    [
        None,
        STATE | {"current": None, "check_in": None},
        {"valid_until": STATE["valid_until"], "current": None},
        STATE | {"valid_until": "2026-01-08T09:15:00Z"},
    ],
    ids=["unavailable", "free", "without-check-in", "expired"],
)
def test_without_a_meeting_nothing_is_sent_that_is_a_command(name: str, state: dict[str, Any] | None) -> None:
    with pytest.raises(InvalidCommand):
        read_payload(sent(name, state))


@pytest.mark.parametrize("state", ["done", "closed"])
def test_a_check_in_that_is_not_open_is_no_command(state: str) -> None:
    with pytest.raises(InvalidCommand):
        read_payload(sent("check_in", STATE | {"check_in": STATE["check_in"] | {"state": state}}))  # type: ignore[operator]


# --- when they are taken back -------------------------------------------------------------------------------


def publisher(broker: Mosquitto, setup: PublisherSetup, offer: Offer | None, **more: Any) -> Publisher:
    """A publisher for a connection that allows this."""
    offers = {"contoso": offer} if offer is not None else {}
    made = Publisher(
        Mqtt(url=broker.url),
        setup.board,
        now=setup.now,
        info=BridgeInfo("0.1", timedelta(seconds=40), ("contoso",), offers=offers),
        home_assistant=HomeAssistant(**{"discovery": True, "actions": True, **more}),
        timing=IMPATIENT,
    )
    setup.board.listeners.append(made)
    return made


def later_run() -> PublisherSetup:
    later = PublisherSetup(epoch=8)
    later.enroll("boardroom", "library")
    later.read("boardroom")
    later.read("library")
    later.report()
    return later


async def held(broker: Mosquitto, names: set[str], *rooms: str) -> None:
    """Waits until the broker holds these buttons of these rooms, and no others."""
    wanted = {f"{PREFIX}/{room_id}_{name}/config" for room_id in rooms for name in names}
    async with Subscriber(broker, f"{PREFIX}/#") as seen:
        await seen.caught_up()
        if seen.latest.keys() != wanted:
            await seen.until(lambda _: seen.latest.keys() == wanted)


async def test_buttons_are_kept_and_go_with_their_room(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher(mosquitto, publisher_setup, BOOKING)):
        await held(mosquitto, set(offered(BOOKING)), "boardroom", "library")
        async with Subscriber(mosquitto, "placed/rooms") as seen:
            index = await seen.message("placed/rooms")
        assert index.document["buttons"] == ["book_15", "book_30", "book_60"]
        publisher_setup.enroll("library")
        await held(mosquitto, set(offered(BOOKING)), "library")


@pytest.mark.parametrize("offer", [None, Offer(frozenset({Action.END}))])
async def test_what_is_not_allowed_any_more_is_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, offer: Offer | None
) -> None:
    async with running(publisher(mosquitto, publisher_setup, EVERYTHING)):
        await held(mosquitto, set(BUTTON_ENTITIES), "boardroom", "library")
    async with running(publisher(mosquitto, later_run(), offer)):
        await held(mosquitto, set(offered(offer)), "boardroom", "library")


async def test_without_discovery_all_buttons_are_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher(mosquitto, publisher_setup, EVERYTHING)):
        await held(mosquitto, set(BUTTON_ENTITIES), "boardroom", "library")
    async with running(publisher(mosquitto, later_run(), None, discovery=False)):
        await held(mosquitto, set())


async def test_a_room_that_another_connection_takes_over_loses_its_buttons(mosquitto: Mosquitto) -> None:
    setup = PublisherSetup("contoso", "fabrikam")
    setup.enroll("boardroom")
    setup.report()
    setup.report("fabrikam")
    async with running(publisher(mosquitto, setup, EVERYTHING)):
        await held(mosquitto, set(BUTTON_ENTITIES), "boardroom")
        setup.enroll("boardroom", connection="fabrikam")
        await held(mosquitto, set())


async def test_a_start_with_the_same_buttons_clears_none(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    async with running(publisher(mosquitto, publisher_setup, BOOKING)):
        await held(mosquitto, set(offered(BOOKING)), "boardroom", "library")
    async with Subscriber(mosquitto, f"{PREFIX}/#") as seen:
        await seen.caught_up()
        before = len(seen.arrivals)
        async with running(publisher(mosquitto, later_run(), BOOKING)):
            await seen.message(f"{PREFIX}/library_book_60/config", after=before)
            await seen.message(f"{PREFIX}/boardroom_book_60/config", after=before)
            await seen.caught_up()
    assert [arrival.topic for arrival in seen.arrivals if not arrival.payload] == []


JSON = st.none() | st.integers() | st.text() | st.lists(st.text() | st.sampled_from([*BUTTON_ENTITIES, "x"]))


@given(st.binary() | st.builds(lambda b: json.dumps({"buttons": b}).encode(), JSON))
def test_an_earlier_index_names_only_buttons_that_there_are(payload: bytes) -> None:
    assert earlier_buttons(payload) <= BUTTON_ENTITIES.keys()
