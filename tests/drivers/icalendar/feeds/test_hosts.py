"""Hosts are asked politely and with limits, and one that hangs delays no other room."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason
from placed_icalendar.feeds import feed_client, host_turns
from placed_icalendar.feeds.public_addresses import is_public
from placed_icalendar.simulator.feed_host import Fault, FeedHost, Kind, Publisher
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, at, failed, word, words
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.drivers.icalendar.feeds.feed_setup import Clock, FeedSetup


@pytest.fixture
async def second_host(clock: Clock) -> AsyncIterator[FeedHost]:
    """Another host, with a room of its own."""
    publisher = Publisher(now=clock)
    publisher.add_room("annex")
    async with FeedHost(publisher) as host:
        yield host


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for five seconds here, but long enough for feeds that answer, on a busy machine too."""
    monkeypatch.setattr(host_turns, "PATIENCE", 0.5)


async def test_a_host_is_asked_for_one_feed_at_a_time(feed_setup: FeedSetup) -> None:
    for number in range(10):
        feed_setup.publisher.add_room(f"room-{number}")
    assert set(words(await feed_setup.read(feed_setup.open()))) == {"read"}
    assert feed_setup.host.most_at_once == 1


@pytest.mark.usefixtures("impatient")
async def test_a_feed_that_hangs_delays_no_other_of_its_host(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("third")
    driver = feed_setup.open()
    await feed_setup.read(driver)
    feed_setup.publisher.faults.add(Fault(kind=Kind.HANG, room=BOARDROOM))
    for _ in range(3):
        feed_setup.publisher.book(LIBRARY, at(9), at(10))
        async with asyncio.timeout(DEADLINE):
            answers = await feed_setup.read(driver)
        assert words(answers) == ["unavailable", "read", "unchanged"]
        assert "no answer in time" in failed(answers[0]).problem.text


@pytest.mark.usefixtures("impatient")
async def test_other_rooms_are_answered_while_a_feed_hangs_for_the_first_time(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.faults.add(Fault(kind=Kind.HANG, room=BOARDROOM))
    driver = feed_setup.open()
    reading = driver.read([feed_setup.query(BOARDROOM), feed_setup.query(LIBRARY)])
    async with asyncio.timeout(DEADLINE):
        first = await anext(reading)
    assert (first.query.room.id, word(first)) == (LIBRARY, "read")
    await reading.aclose()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("impatient")
async def test_a_host_of_which_every_feed_hangs_is_waited_for_once(
    feed_setup: FeedSetup, second_host: FeedHost
) -> None:
    for number in range(20):
        feed_setup.publisher.add_room(f"room-{number}")
    bundle = feed_setup.folder / "both.pem"
    bundle.write_bytes(feed_setup.host.ca_file.read_bytes() + second_host.ca_file.read_bytes())
    links = {room.address: feed_setup.host.link_of(room.address) for room in feed_setup.publisher.rooms()}
    driver = feed_setup.open(feeds={**links, "annex": second_host.link_of("annex")}, ca_file=bundle)
    assert set(words(await feed_setup.read(driver, *links, "annex"))) == {"read"}
    feed_setup.publisher.faults.add(Fault(kind=Kind.HANG))
    for _ in range(3):
        async with asyncio.timeout(DEADLINE):
            *hung, other = await feed_setup.read(driver, *links, "annex")
        assert set(words(hung)) == {"unavailable"}
        assert word(other) == "unchanged"
    assert feed_setup.host.under_way <= host_turns.MOST_OVERTAKEN + 1


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_comes_late_is_taken_at_the_next_reading(
    feed_setup: FeedSetup,
) -> None:
    driver = feed_setup.open()
    await feed_setup.read(driver)
    feed_setup.publisher.faults.add(Fault(kind=Kind.HANG, room=BOARDROOM, times=1))
    assert word(await feed_setup.one(driver)) == "unavailable"
    # The host drops what hangs; the feed is asked again, and answers at once from then on.
    async with feed_setup.host.outage():
        pass
    async with asyncio.timeout(DEADLINE):
        while word(await feed_setup.one(driver)) == "unavailable":  # noqa: ASYNC110 - it is read as polling does
            await asyncio.sleep(0)
    feed_setup.publisher.book(BOARDROOM, at(9), at(10))
    async with asyncio.timeout(DEADLINE):
        while word(await feed_setup.one(driver)) != "read":  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)


@pytest.mark.parametrize("kind", [Kind.HANG, Kind.DRIP])
async def test_an_answer_without_an_end_is_given_up(
    feed_setup: FeedSetup, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    monkeypatch.setattr(feed_client, "WITHIN", 0.2)
    feed_setup.publisher.faults.add(Fault(kind=kind, room=BOARDROOM))
    async with asyncio.timeout(DEADLINE):
        answers = await feed_setup.read(feed_setup.open())
    assert words(answers) == ["unavailable", "read"]
    assert "sends no whole answer within 0.2 s" in failed(answers[0]).problem.text


# --- redirects ---


async def test_redirects_within_https_are_followed(feed_setup: FeedSetup, second_host: FeedHost) -> None:
    second_host.publisher.book("annex", at(9), at(10))
    bundle = feed_setup.folder / "both.pem"
    bundle.write_bytes(feed_setup.host.ca_file.read_bytes() + second_host.ca_file.read_bytes())
    driver = feed_setup.open(ca_file=bundle)
    feed_setup.publisher.faults.add(
        Fault(kind=Kind.REDIRECT, room=BOARDROOM, detail=second_host.link_of("annex"))
    )
    assert len(await feed_setup.meetings(driver)) == 1


async def test_a_redirect_gets_no_login_of_another_host(feed_setup: FeedSetup, second_host: FeedHost) -> None:
    bundle = feed_setup.folder / "both.pem"
    bundle.write_bytes(feed_setup.host.ca_file.read_bytes() + second_host.ca_file.read_bytes())
    second_host.publisher.serve("annex", login=("placed", "right"))
    feed = {
        "url": feed_setup.host.link_of(BOARDROOM),
        "username": "placed",
        "password_file": feed_setup.secret_file("password", "right"),
    }
    driver = feed_setup.open(
        feeds={BOARDROOM: feed, LIBRARY: feed_setup.host.link_of(LIBRARY)}, ca_file=bundle
    )
    feed_setup.publisher.faults.add(
        Fault(kind=Kind.REDIRECT, room=BOARDROOM, detail=second_host.link_of("annex"))
    )
    assert words(await feed_setup.read(driver)) == ["refused", "read"]


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.2:{port}/x.ics",
        "https://[::1]:{port}/x.ics",
        "https://localhost:1/x",
        "https://127.2:{port}/x.ics",  # old spellings, which the system understands
        "https://2130706434:{port}/x.ics",
        "https://127.0.0.2.:{port}/x.ics",
    ],
)
async def test_a_redirect_never_leads_from_the_internet_into_a_network(
    feed_setup: FeedSetup, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    # The host counts as one of the internet, as long as it is named by this address.
    monkeypatch.setattr(
        feed_client, "is_public", lambda address: address == "127.0.0.1" and "localhost" not in target
    )
    port = feed_setup.host.url.rpartition(":")[2]
    links = {
        room.address: feed_setup.host.link_of(room.address).replace("localhost", "127.0.0.1")
        for room in feed_setup.publisher.rooms()
    }
    if "localhost" in target:  # a name that has private addresses only
        monkeypatch.setattr(feed_client, "has_public_address", _yes)
    driver = feed_setup.open(feeds=links)
    feed_setup.publisher.faults.add(
        Fault(kind=Kind.REDIRECT, room=BOARDROOM, detail=target.format(port=port))
    )
    answers = await feed_setup.read(driver)
    assert words(answers) == ["malformed", "read"]
    assert "from the internet to an address inside of a network" in failed(answers[0]).problem.text


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700::1", "64:ff9b::5db8:d822", "2002:5db8:d822::1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%eth0", "64:ff9b::a00:1", "2002:a00:1::1"]
)
def test_a_private_address_is_not_public_however_it_is_embedded(address: str) -> None:
    assert not is_public(address)


NO_ADDRESSES = [
    "https://a\\b/x",
    "https://a<b/",
    "https://[::1/",
    "https://h:x/",
    "https://a..b/",
    f"https://{'a' * 64}/",  # longer than a part of a name can be
]


@pytest.mark.parametrize("target", NO_ADDRESSES)
async def test_a_redirect_to_no_address_is_the_room_s_trouble_only(
    feed_setup: FeedSetup, target: str
) -> None:
    driver = feed_setup.open()
    feed_setup.publisher.faults.add(Fault(kind=Kind.REDIRECT, room=BOARDROOM, detail=target))
    answers = await feed_setup.read(driver)
    assert word(answers[1]) == "read"
    assert failed(answers[0]).reason in (Reason.MALFORMED, Reason.UNAVAILABLE)


async def _yes(*_: object) -> bool:
    return True


# --- the service's time ---


async def test_the_host_s_time_is_reported_but_not_that_of_a_cache(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.clock_ahead = timedelta(minutes=3)
    driver = feed_setup.open()
    await feed_setup.one(driver)
    assert [time.moment for time in feed_setup.times] == [feed_setup.clock() + timedelta(minutes=3)]
    feed_setup.publisher.faults.add(
        Fault(kind=Kind.DATE, room=BOARDROOM, detail="Wed, 02 Dec 2026 03:00:00 GMT", age="7")
    )
    await feed_setup.one(driver)
    assert len(feed_setup.times) == 1


async def test_the_time_of_the_host_with_most_feeds_counts(
    feed_setup: FeedSetup, second_host: FeedHost
) -> None:
    second_host.publisher.clock_ahead = timedelta(hours=5)
    bundle = feed_setup.folder / "both.pem"
    bundle.write_bytes(feed_setup.host.ca_file.read_bytes() + second_host.ca_file.read_bytes())
    links = {room.address: feed_setup.host.link_of(room.address) for room in feed_setup.publisher.rooms()}
    driver = feed_setup.open(feeds={"annex": second_host.link_of("annex"), **links}, ca_file=bundle)
    await feed_setup.read(driver, "annex", *links)
    assert {time.moment for time in feed_setup.times} == {feed_setup.clock()}


async def test_a_reason_is_of_the_closed_list(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    unknown = feed_setup.query("nowhere")
    assert failed(await feed_setup.one(driver, unknown)).reason is Reason.NOT_FOUND
