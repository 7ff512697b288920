"""MQTT 3.1.1: a PUBACK has no reason code, so what was acknowledged is read back, and named if missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.domain.mqtt_delivery_status import Refused
from placed.domain.presence import Reading, Sensor, SensorKind
from tests.component.mqtt.test_publisher import becomes
from tests.component.mqtt.test_refused_topic_schedule import publisher_behind, topics
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.mosquitto import Mosquitto
    from tests.support.mqtt_proxy import Proxy


@pytest.fixture
def looked_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was published is read back at once."""
    for constant in ("FIRST", "BETWEEN", "AGAIN"):
        monkeypatch.setattr(f"placed.mqtt.read_back.{constant}", 0.05)
    monkeypatch.setattr("placed.mqtt.read_back._TIMEOUT", 0.5)


@pytest.mark.slow  # real time: the doctor waits for a message that does not come
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


@pytest.mark.slow  # real time: the doctor waits for a message that does not come
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
