"""Every way in which a feed fails: the room's reason, and what to do; the other rooms are read."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Reason
from placed.driver import NotPermitted, Refused
from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, at, failed, word, words

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup

EVENT = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:{}\r\nDTEND:20261202T100000Z\r\n{}END:VEVENT\r\n"
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n"
CLIPPED = CALENDAR.format("X-CLIPEND:20261202T180000Z\r\n")
FREE_BUSY = CALENDAR.format(
    "BEGIN:VFREEBUSY\r\nDTSTART:20261201T000000Z\r\nDTEND:20261203T000000Z\r\nEND:VFREEBUSY\r\n"
)

ROWS = [
    pytest.param({"kind": Kind.STATUS, "status": 500}, Reason.UNAVAILABLE, "500", "", id="500"),
    pytest.param({"kind": Kind.STATUS, "status": 503}, Reason.UNAVAILABLE, "503", "", id="503"),
    pytest.param({"kind": Kind.STATUS, "status": 429}, Reason.THROTTLED, "429", "", id="429"),
    pytest.param({"kind": Kind.DROP}, Reason.UNAVAILABLE, "ended the connection", "", id="cut at once"),
    pytest.param({"kind": Kind.CUT}, Reason.UNAVAILABLE, "cannot be reached", "", id="cut in the middle"),
    pytest.param({"kind": Kind.GARBLED}, Reason.UNAVAILABLE, "truncated", "", id="gzip cut off"),
    pytest.param({"kind": Kind.LOGIN}, Reason.REFUSED, "wants a login", "password_file", id="401"),
    pytest.param({"kind": Kind.STATUS, "status": 403}, Reason.FORBIDDEN, "403", "shared", id="403"),
    pytest.param({"kind": Kind.STATUS, "status": 404}, Reason.NOT_FOUND, "404", "new link", id="404"),
    pytest.param({"kind": Kind.STATUS, "status": 410}, Reason.NOT_FOUND, "410", "new link", id="410"),
    pytest.param({"kind": Kind.STATUS, "status": 400}, Reason.MALFORMED, "400", "browser", id="400"),
    pytest.param({"kind": Kind.STATUS, "status": 206}, Reason.MALFORMED, "206", "browser", id="206"),
    pytest.param({"kind": Kind.UNCHANGED}, Reason.MALFORMED, "304", "browser", id="304 unasked"),
    pytest.param({"kind": Kind.LOGIN_PAGE}, Reason.MALFORMED, "web page", "private window", id="a page"),
    pytest.param({"kind": Kind.EMPTY}, Reason.MALFORMED, "", "", id="nothing"),
    pytest.param({"kind": Kind.TEXT, "detail": "hello"}, Reason.MALFORMED, "", "", id="no calendar"),
    pytest.param({"kind": Kind.SHORT}, Reason.MALFORMED, "", "", id="text cut off"),
    pytest.param({"kind": Kind.BOMB}, Reason.MALFORMED, "larger", "from yesterday on", id="too large"),
    pytest.param(
        {"kind": Kind.TEXT, "detail": CALENDAR.format(EVENT.format("20261302T090000Z", ""))},
        Reason.MALFORMED,
        "",
        "calendar program",
        id="a bad time",
    ),
    pytest.param(
        {"kind": Kind.TEXT, "detail": CLIPPED},
        Reason.MALFORMED,
        "publishes up to 2026-12-02",
        "-PublishDateRangeTo",
        id="clipped",
    ),
    pytest.param(
        {"kind": Kind.TEXT, "detail": FREE_BUSY},
        Reason.MALFORMED,
        "publishes up to 2026-12-03",
        "days_ahead",
        id="free/busy that ends early",
    ),
    pytest.param({"kind": Kind.LOOP}, Reason.MALFORMED, "more than 3 redirects", "browser", id="a loop"),
    pytest.param(
        {"kind": Kind.REDIRECT, "detail": "http://localhost/x"},
        Reason.MALFORMED,
        "without TLS",
        "browser",
        id="a redirect to http",
    ),
    pytest.param(
        {"kind": Kind.REDIRECT, "detail": "https://user:pw@localhost/x"},
        Reason.MALFORMED,
        "a login in it",
        "browser",
        id="a redirect with a login",
    ),
    pytest.param(
        {"kind": Kind.REDIRECT, "detail": "https://["},
        Reason.MALFORMED,
        "no address",
        "browser",
        id="a redirect to nothing",
    ),
]


@pytest.mark.parametrize(("fault", "reason", "text", "remedy"), ROWS)
async def test_every_failure_has_its_reason_and_spares_the_other_rooms(
    feed_setup: FeedSetup, fault: dict[str, Any], reason: Reason, text: str, remedy: str
) -> None:
    for room in (BOARDROOM, LIBRARY):
        feed_setup.publisher.book(room, at(9), at(10), summary="Salaries of 2027")
    feed_setup.publisher.faults.add(Fault(room=BOARDROOM, **fault))
    spoilt, other = await feed_setup.read(feed_setup.open())
    found = failed(spoilt)
    assert (found.reason, word(other)) == (reason, "read")
    assert text in found.problem.text
    assert remedy in found.problem.remedy
    secret = feed_setup.publisher.room(BOARDROOM).secret
    assert secret not in found.problem.line
    assert "Salaries" not in found.problem.line
    feed_setup.publisher.faults.clear()
    feed_setup.clock.wait(minutes=5)
    assert words(await feed_setup.read(feed_setup.open())) == ["read", "read"]


async def test_a_window_of_publication_that_reaches_far_enough_is_no_failure(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.write(BOARDROOM, CLIPPED.replace("20261202T180000Z", "20261204T000000Z"))
    assert word(await feed_setup.one(feed_setup.open())) == "read"


async def test_a_calendar_without_events_is_a_free_room_only_if_it_is_whole(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    assert await feed_setup.meetings(driver) == ()
    for text in ("", "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n", "\r\n", "<ics/>"):
        feed_setup.publisher.write(BOARDROOM, text)
        assert word(await feed_setup.one(driver)) == "malformed", text


async def test_a_host_that_is_not_there_is_unavailable_by_its_name_alone(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open(feeds={BOARDROOM: "https://no-such-host.invalid/private-0a1b2c3d4e5f6a7b/x.ics"})
    found = failed(await feed_setup.one(driver))
    assert found.reason is Reason.UNAVAILABLE
    assert found.problem.text == "no-such-host.invalid cannot be reached: its name is not known"


async def test_a_certificate_of_another_authority_is_refused_with_ca_file_as_the_remedy(
    feed_setup: FeedSetup, tmp_path: Path
) -> None:
    import trustme  # noqa: PLC0415 - as the simulator does

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    driver = feed_setup.open(ca_file=other)
    with pytest.raises(Refused) as caught:
        await feed_setup.read(driver)
    assert "is not trusted" in caught.value.problem.text
    assert "ca_file" in caught.value.problem.remedy


# --- all rooms at once ---


async def test_if_every_feed_refuses_the_login_the_connection_is_refused(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    await feed_setup.read(driver)
    feed_setup.publisher.faults.add(Fault(kind=Kind.LOGIN))
    with pytest.raises(Refused) as caught:
        await feed_setup.read(driver)
    assert caught.value.problem.lasting
    assert caught.value.problem.retry_after == 300


async def test_if_every_feed_is_gone_the_connection_is_not_permitted(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    await feed_setup.read(driver)
    feed_setup.publisher.faults.add(Fault(kind=Kind.STATUS, status=404))
    with pytest.raises(NotPermitted, match="none of the 2 feeds is found"):
        await feed_setup.read(driver)
    # A reading of one room alone shows nothing of the others.
    feed_setup.publisher.faults.clear()
    await feed_setup.read(driver)
    feed_setup.publisher.faults.add(Fault(kind=Kind.STATUS, status=404))
    assert word(await feed_setup.one(driver)) == "not_found"


# --- how soon they are asked again ---


async def test_a_refused_login_is_tried_every_five_minutes(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    feed_setup.publisher.faults.add(Fault(kind=Kind.LOGIN, room=BOARDROOM))
    for _ in range(5):
        refused = failed(await feed_setup.one(driver))
        assert refused.problem.lasting
        feed_setup.clock.wait(seconds=59)
    assert feed_setup.statuses == [401]
    feed_setup.clock.wait(seconds=5)
    await feed_setup.one(driver)
    assert feed_setup.statuses == [401]


async def test_a_wrong_password_is_tried_with_three_rooms_and_not_with_all(feed_setup: FeedSetup) -> None:
    feeds = {}
    for number in range(9):
        room = feed_setup.publisher.add_room(f"room-{number}", login=("placed", "right"))
        password = feed_setup.secret_file(f"password-{number}", "wrong\n")
        feeds[room.address] = {
            "url": feed_setup.host.link_of(room.address),
            "username": "placed",
            "password_file": password,
        }
    feeds["open"] = {"url": feed_setup.host.link_of(LIBRARY)}
    driver = feed_setup.open(feeds=feeds)
    answers = await feed_setup.read(driver, *feeds)
    assert words(answers) == ["refused"] * 9 + ["read"]
    assert feed_setup.statuses == [401, 401, 401, 200]


async def test_rooms_that_refuse_a_login_do_not_silence_the_others_with_it(feed_setup: FeedSetup) -> None:
    feeds = {}
    password = feed_setup.secret_file("password", "right")
    for number in range(6):
        login = ("placed", "right" if number < 2 else "of somebody else")
        room = feed_setup.publisher.add_room(f"room-{number}", login=login)
        url = feed_setup.host.link_of(room.address)
        feeds[room.address] = {"url": url, "username": "placed", "password_file": password}
    driver = feed_setup.open(feeds=feeds)
    for _ in range(3):
        answers = await feed_setup.read(driver, *feeds)
        assert set(words(answers[:2])) <= {"read", "unchanged"}
        assert words(answers[2:]) == ["refused"] * 4
        feed_setup.clock.wait(minutes=1)


@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_counts_for_every_feed_of_the_host(feed_setup: FeedSetup, *, as_date: bool) -> None:
    driver = feed_setup.open()
    until = feed_setup.clock.moment.replace(minute=32)
    header = format_datetime(until, usegmt=True) if as_date else "120"
    feed_setup.publisher.faults.add(
        Fault(kind=Kind.STATUS, status=429, room=BOARDROOM, retry_after=header, times=1)
    )
    assert failed(await feed_setup.one(driver)).problem.retry_after == 120
    assert words(await feed_setup.read(driver)) == ["throttled", "throttled"]
    assert feed_setup.statuses == [429]
    feed_setup.clock.wait(seconds=121)
    assert words(await feed_setup.read(driver)) == ["read", "read"]
