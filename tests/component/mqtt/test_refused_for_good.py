"""What the broker will not take, by its rights or its limits, is named, and holds nothing else up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.mqtt_delivery_status import Refused
from placed.settings.output_settings import HomeAssistant
from tests.component.mqtt.test_publisher import becomes
from tests.component.mqtt.test_refused_topic_schedule import all_published, publisher_behind, topics
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.mqtt.publisher import Publisher
    from tests.support.mosquitto import Mosquitto
    from tests.support.mqtt_proxy import Proxy


DISCOVERY = HomeAssistant(discovery=True)


# --- refused for good ---------------------------------------------------------------------------------------


@pytest.mark.slow  # real time: refused messages are repeated after seconds
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
