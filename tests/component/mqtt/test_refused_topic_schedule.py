"""What the broker refuses is repeated until it is taken or overtaken; what it does not hold is named."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.domain.mqtt_delivery_status import Refused
from placed.domain.presence import Reading, Sensor, SensorKind
from placed.settings.output_settings import HomeAssistant
from tests.component.mqtt.test_publisher import becomes
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Subscriber
from tests.support.mqtt_proxy import SWALLOW, Proxy
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from placed.mqtt.publisher import Publisher
    from tests.support.mosquitto import Mosquitto

DISCOVERY = HomeAssistant(discovery=True)


@pytest.fixture
async def proxy(mosquitto: Mosquitto) -> AsyncIterator[Proxy]:
    """Before a mosquitto that lets everybody in."""
    async with Proxy(mosquitto.port) as proxy:
        yield proxy


def publisher_behind(proxy: Proxy, publisher_setup: PublisherSetup, **more: Any) -> Publisher:
    return publisher_setup.publisher(proxy, **more)  # type: ignore[arg-type]


def topics(publisher: Publisher) -> set[str]:
    return {group.topics for group in publisher.undelivered}


async def all_published(publisher: Publisher) -> None:
    async with asyncio.timeout(DEADLINE):
        await publisher.published()


# --- refused for a while ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x90, 0x97, 0x99])
async def test_a_change_that_was_refused_once_is_repeated(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, code: int
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await all_published(publisher)
        taken = publisher.messages_published
        with proxy.rule(code, "placed/rooms/library/#", times=5) as refusing:
            publisher_setup.book("library")
            await becomes(lambda: refusing.hits == 5)
            await becomes(lambda: "placed/rooms/library/state" in topics(publisher))
            state = await seen.until(
                lambda a: a.topic.endswith("library/state") and a.document["status"] == "busy"
            )
            await seen.message("placed/rooms/library/status", "busy")
            await seen.message("placed/rooms/library/occupied", "ON")
            started = await seen.message("placed/rooms/library/event")
        assert state.retain
        assert started.document["event"] == "started"
        await becomes(lambda: not publisher.undelivered)
        await all_published(publisher)
        assert publisher.last_error is None
        assert taken + 5 <= publisher.messages_published <= taken + 8  # with health, which reports it
        assert sum(publisher.messages_refused.values()) == 5
        assert publisher.reconnects == 0


@pytest.mark.parametrize("code", [0x95, 0x9B, 0xA2, 0xFF])
async def test_a_change_is_published_though_it_was_refused_with_a_code_that_is_not_allowed_there(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, code: int
) -> None:
    """MQTT 5, 3.4.2.1, lists the codes of a PUBACK; mosquitto uses 0x95 (packet too large), too."""
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        with proxy.rule(code, "placed/rooms/library/state", times=1):
            publisher_setup.book("library")
            await seen.until(lambda a: a.topic.endswith("library/state") and a.document["status"] == "busy")
        await all_published(publisher)
        await becomes(lambda: publisher.undelivered == ())
        assert publisher.reconnects == 0


@pytest.mark.slow  # real time: refused messages are repeated after seconds
async def test_a_state_that_is_not_answered_is_owed_after_seconds(
    proxy: Proxy, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the connection is given up for it, since `/readyz` depends on it."""
    monkeypatch.setattr("placed.mqtt.message_delivery._OVERDUE", 0.2)
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher):
        await all_published(publisher)
        assert publisher.all_acknowledged
        with proxy.rule(SWALLOW, "placed/rooms/library/state"):
            publisher_setup.book("library")
            await becomes(lambda: not publisher.all_acknowledged)
            assert publisher.reconnects == 0
            assert publisher.connected
        with proxy.rule(SWALLOW, "placed/rooms/library/event"):
            await becomes(lambda: publisher.reconnects == 1 and publisher.all_acknowledged)
        await all_published(publisher)


@pytest.mark.slow  # real time: refused messages are repeated after seconds
async def test_what_is_repeated_is_the_latest(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/library/status") as seen:
        with proxy.rule(0x97, "placed/rooms/library/status") as refusing:
            publisher_setup.book("library")
            await becomes(lambda: refusing.hits >= 2)
            publisher_setup.read("library")
            hits = refusing.hits
            await becomes(lambda: refusing.hits > hits)
            await seen.caught_up()
            seen.arrivals.clear()
        await becomes(lambda: not publisher.undelivered)
        await seen.caught_up()
        assert {arrival.text for arrival in seen.arrivals} == {"free"}


async def test_what_overtakes_a_refused_message_settles_it(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placed.mqtt.refused_topic_schedule.FIRST_PAUSE", 3600.0)
    monkeypatch.setattr("placed.mqtt.refused_topic_schedule.LONGEST_PAUSE", 3600.0)
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/library/#") as seen:
        with proxy.rule(0x97, "placed/rooms/library/+") as refusing:
            publisher_setup.book("library")
            await becomes(lambda: refusing.hits == 5)
        publisher_setup.read("library")
        await seen.message("placed/rooms/library/status", "free", after=len(seen.arrivals))
        await becomes(lambda: topics(publisher) <= {"placed/rooms/library/event"})


async def test_a_room_whose_clearing_was_refused_is_cleared(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        await all_published(publisher)
        with proxy.rule(0x80, "placed/rooms/boardroom/+", times=6):
            publisher_setup.enroll("library")
            for leaf in ("state", "availability", "occupied", "status"):
                await seen.message(f"placed/rooms/boardroom/{leaf}", "")
        await becomes(lambda: not publisher.undelivered and not publisher._context.retained_rooms.to_clear)


@pytest.mark.slow  # real time: refused messages are repeated after seconds
@pytest.mark.parametrize(
    "topic", ["placed/bridge/state", "placed/bridge/info", "placed/bridge/health", "placed/rooms"]
)
async def test_refused_bridge_messages_are_repeated(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, topic: str
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with Subscriber(mosquitto, "placed/#") as seen:
        with proxy.rule(0x97, topic, times=2) as refusing:
            async with running(publisher, published=False):
                await seen.message(topic)
                await becomes(lambda: not publisher.undelivered)
                await all_published(publisher)
                assert refusing.hits == 2


async def test_an_order_that_panels_have_to_forget_is_cleared_before_the_state(
    mosquitto: Mosquitto, proxy: Proxy
) -> None:
    async with running(PublisherSetup.furnished().publisher(mosquitto)):
        pass
    later = PublisherSetup(epoch=3)  # its clock is behind, and nothing was remembered
    later.enroll("boardroom", "library")
    later.book("boardroom")
    later.report()
    topic = "placed/rooms/boardroom/state"
    with proxy.rule(0x80, topic, times=1):
        async with Subscriber(mosquitto, topic) as seen, running(publisher_behind(proxy, later)):
            cleared = await seen.message(topic, "")
            after = seen.arrivals.index(cleared)
            state = await seen.until(lambda a: a.payload and a.document["epoch"] == 3, after=after)
            assert state.document["status"] == "busy"


# --- refused for good ---------------------------------------------------------------------------------------


async def test_one_topic_that_may_not_be_written_is_named_with_the_remedy(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(
        access=[
            "topic readwrite placed/#",
            "topic readwrite tests/#",
            "topic deny placed/rooms/library/state",
        ]
    )
    publisher = publisher_setup.publisher(broker)
    with capture_logs() as log:
        async with running(publisher, published=False):
            await becomes(lambda: publisher.undelivered)
            (group,) = publisher.undelivered
            assert group.topics == "placed/rooms/library/state"
            assert group.count == 1
            assert group.reason is Refused.NOT_AUTHORIZED
            assert group.state
            assert group.problem.remedy == (
                "allow this login to write placed/rooms/library/state in the broker's access rules"
            )
            assert publisher.last_error is not None
            assert "placed/rooms/library/state" in publisher.last_error
            async with Subscriber(broker, "placed/rooms/#") as seen:
                await seen.message("placed/rooms/library/status", "free")
            await becomes(lambda: publisher.messages_refused["not_authorized"] >= 3)
            assert not publisher.first_published.is_set()
    warnings = [entry for entry in log if entry["event"] == "broker.refused_messages"]
    assert len(warnings) == 1
    assert warnings[0]["topics"] == "placed/rooms/library/state"
    assert warnings[0]["remedy"] == group.problem.remedy


async def test_everything_refused_is_named_and_counted_as_refused(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(access=["topic read #"])
    publisher = publisher_setup.publisher(broker)
    async with running(publisher, published=False):
        wanted = {
            "placed/bridge/state",
            "placed/rooms",
            "placed/rooms/+/state",
            "placed/rooms/+/availability",
        }
        await becomes(lambda: topics(publisher) >= wanted)
        assert publisher.messages_published == 0


@pytest.mark.slow  # real time: refused messages are repeated after seconds
async def test_rights_that_are_given_later_are_used_within_seconds(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(
        users={"placed": "secret", "panel": "secret"}, access=["user panel", "topic readwrite #"]
    )
    with capture_logs() as log:
        publisher = publisher_with_login(broker, publisher_setup)
        async with (
            running(publisher, published=False),
            Subscriber(broker, "placed/#", username="panel", password="secret") as seen,
        ):
            await becomes(lambda: publisher.messages_refused["not_authorized"] >= 30)
            (broker._folder / "access").write_text(
                "topic readwrite #\nuser panel\ntopic readwrite #\nuser placed\ntopic readwrite #\n"
            )
            broker.reload()
            await all_published(publisher)
            await seen.message("placed/rooms/library/status", "free")
            await becomes(lambda: not publisher.undelivered)
            await becomes(lambda: "broker.takes_messages_again" in [e["event"] for e in log])


def publisher_with_login(broker: Mosquitto, publisher_setup: PublisherSetup) -> Publisher:
    from tests.support.secret_files import write_secret  # noqa: PLC0415

    password = broker._folder / "password-of-placed"
    write_secret(password, b"secret")
    return publisher_setup.publisher(broker, username="placed", password_file=password)


async def test_home_assistant_that_may_not_be_announced_holds_nothing_up(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(
        access=["topic readwrite placed/#", "topic readwrite tests/#", "topic read homeassistant/#"]
    )
    publisher = publisher_setup.publisher(broker, home_assistant=DISCOVERY)
    async with running(publisher):
        await all_published(publisher)
        await becomes(lambda: publisher.undelivered)
        (group,) = publisher.undelivered
        assert group.topics == "homeassistant/+/placed/+/config"
        assert not group.state


# --- too large ----------------------------------------------------------------------------------------------


async def test_states_that_are_larger_than_the_broker_takes_are_named(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup
) -> None:
    broker = await start(extra=["max_packet_size 300"])
    publisher = publisher_setup.publisher(broker)
    async with running(publisher, published=False):
        await becomes(lambda: "placed/rooms/+/state" in topics(publisher))
        group = next(g for g in publisher.undelivered if g.topics == "placed/rooms/+/state")
        assert group.reason is Refused.TOO_LARGE
        assert group.count == 2
        assert "300 bytes at most" in group.problem.text
        assert "at least" in group.problem.remedy
        assert publisher.messages_refused["too_large"] >= 2
        async with Subscriber(broker, "placed/rooms/#") as seen:
            await seen.message("placed/rooms/library/status", "free")
        assert publisher.reconnects == 0


async def test_an_old_state_does_not_stay_where_the_new_one_is_too_large(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = publisher_behind(proxy, publisher_setup)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/library/state") as seen:
        await seen.message("placed/rooms/library/state")
        assert publisher._session is not None
        monkeypatch.setattr(publisher._session._client, "max_packet_size", 300)
        publisher_setup.book("library")
        await seen.message("placed/rooms/library/state", "")
        assert "placed/rooms/library/state" in topics(publisher)


# --- MQTT 3.1.1, whose PUBACK has no word for it ------------------------------------------------------------


@pytest.fixture
def looked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was published is read back at once."""
    for constant in ("FIRST", "BETWEEN", "AGAIN"):
        monkeypatch.setattr(f"placed.mqtt.read_back.{constant}", 0.05)
    monkeypatch.setattr("placed.mqtt.read_back._TIMEOUT", 0.5)


@pytest.mark.usefixtures("looked_soon")
@pytest.mark.parametrize(
    ("denied", "named"),
    [("placed/rooms/library/state", "placed/rooms/library/state"), ("#", "placed/bridge/state")],
)
async def test_what_was_acknowledged_and_is_not_there_is_named(
    start: Callable[..., Awaitable[Mosquitto]], publisher_setup: PublisherSetup, denied: str, named: str
) -> None:
    access = ["topic read #"]
    if denied != "#":
        access += ["topic readwrite placed/#", f"topic deny {denied}"]
    publisher = publisher_setup.publisher(await start(access=access), protocol="3.1.1")
    async with running(publisher, published=False):
        await becomes(lambda: named in topics(publisher))
        group = next(g for g in publisher.undelivered if g.topics == named)
        assert group.reason is Refused.NOT_KEPT
        assert group.state


@pytest.mark.usefixtures("looked_soon")
@pytest.mark.parametrize("reports_later", [False, True])
async def test_a_presence_that_was_acknowledged_and_is_not_there_is_named(
    start: Callable[..., Awaitable[Mosquitto]],
    publisher_setup: PublisherSetup,
    reports_later: bool,  # noqa: FBT001 - a row of the table
) -> None:
    denied = "placed/rooms/library/presence"
    access = ["topic read #", "topic readwrite placed/#", f"topic deny {denied}"]
    publisher = publisher_setup.publisher(await start(access=access), protocol="3.1.1")
    async with running(publisher, published=reports_later):
        radar = Sensor("radar", SensorKind.RADAR)
        publisher_setup.board.sense("library", radar, Reading(present=True, at=publisher_setup.now()))
        await becomes(lambda: denied in topics(publisher))
        assert topics(publisher) == {denied}


@pytest.mark.usefixtures("looked_soon")
async def test_what_is_there_after_all_is_named_no_longer(
    mosquitto: Mosquitto, proxy: Proxy, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_behind(proxy, publisher_setup, protocol="3.1.1")
    async with running(publisher), Subscriber(mosquitto, "placed/rooms/#") as seen:
        with proxy.rule(0, "placed/rooms/library/+"):
            publisher_setup.book("library")
            await becomes(lambda: "placed/rooms/library/state" in topics(publisher))
        await seen.message("placed/rooms/library/status", "busy")
        await becomes(lambda: not publisher.undelivered)


@pytest.mark.alone  # it looks at everything three times, each within a deadline
@pytest.mark.usefixtures("looked_soon")
async def test_a_broker_that_keeps_everything_is_blamed_for_nothing(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto, protocol="3.1.1")
    async with running(publisher):
        read_back = publisher._session._read_back if publisher._session else None
        assert read_back is not None
        looks = []
        look = read_back._check_batch

        async def counted(topics: list[str]) -> bool:
            looks.append(len(topics))
            return await look(topics)

        read_back._check_batch = counted  # type: ignore[method-assign]
        for change in (publisher_setup.book, publisher_setup.read, publisher_setup.book):
            change("library")
            looks.clear()
            await becomes(lambda: sum(looks) >= 30)
        assert publisher.undelivered == ()
        assert publisher.reconnects == 0
