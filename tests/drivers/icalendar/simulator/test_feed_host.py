"""The simulated host of feeds, asked by a plain client: what it serves, and how it goes wrong."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from placed_icalendar.simulator.feed_host import Fault, FeedHost, Kind, Publisher, moved
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

NOW = datetime(2026, 12, 2, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    """Time that passes only where a test has it."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def host(clock: Clock) -> AsyncIterator[FeedHost]:
    publisher = Publisher(now=clock)
    publisher.add_room("boardroom")
    async with FeedHost(publisher) as host:
        yield host


async def ask(
    host: FeedHost, target: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of an answer; of the boardroom's feed unless a path is given."""
    context = ssl.create_default_context(cafile=str(host.ca_file))
    url = f"{host.url}{target}" if target else host.link_of("boardroom")
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(
            more.pop("method", "GET"), url, headers=headers, ssl=context, allow_redirects=False, **more
        ) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


async def test_a_feed_is_behind_a_link_with_a_token(host: FeedHost) -> None:
    host.publisher.book("boardroom", NOW, NOW + HOUR, summary="Review; of, all")
    status, headers, body = await ask(host, headers={"Accept-Encoding": "identity"})
    assert (status, headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"DTSTART:20261202T073000Z\r\n" in body
    assert b"SUMMARY:Review\\; of\\, all\r\n" in body
    path = host.publisher.room("boardroom").path
    assert (await ask(host, path.replace(path[30], "z", 1)))[0] == 404
    host.publisher.new_link("boardroom")
    assert (await ask(host, path))[0] == 404
    assert (await ask(host))[0] == 200


@pytest.mark.parametrize("link", ["secret", "exchange", "nextcloud", "plain"])
async def test_links_look_as_those_of_publishers_do(host: FeedHost, link: Any) -> None:
    room = host.publisher.add_room("library@rooms.example", link=link)
    assert (room.secret in room.path) is (link != "plain")
    assert (await ask(host, room.path))[0] == 200


async def test_conditional_requests_are_honoured_or_ignored_as_it_is_set(
    host: FeedHost, clock: Clock
) -> None:
    _, headers, _ = await ask(host)
    known = {"If-None-Match": headers["ETag"]}
    assert (await ask(host, headers=known))[0] == 304
    host.publisher.serve("boardroom", etag="ignored")
    assert (await ask(host, headers=known))[0] == 200
    host.publisher.serve("boardroom", etag="none", last_modified=True)
    _, headers, _ = await ask(host)
    assert "ETag" not in headers
    since = {"If-Modified-Since": headers["Last-Modified"]}
    assert (await ask(host, headers=since))[0] == 304
    clock.moment += HOUR
    host.publisher.book("boardroom", NOW, NOW + HOUR)
    assert (await ask(host, headers=since))[0] == 200


async def test_answers_are_compressed_or_in_chunks(host: FeedHost) -> None:
    _, headers, packed = await ask(host, headers={"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    host.publisher.serve("boardroom", gzip=False, chunked=True)
    _, headers, plain = await ask(host)
    assert headers["Transfer-Encoding"] == "chunked"
    assert packed != plain


async def test_a_delay_serves_what_was_published_before(host: FeedHost, clock: Clock) -> None:
    clock.moment += HOUR
    host.publisher.book("boardroom", NOW, NOW + HOUR)
    host.publisher.delay = timedelta(days=1)
    identity = {"Accept-Encoding": "identity"}
    assert b"VEVENT" not in (await ask(host, headers=identity))[2]
    clock.moment += timedelta(days=1)
    assert b"VEVENT" in (await ask(host, headers=identity))[2]


async def test_a_clock_that_is_set_back_serves_what_is_published(host: FeedHost, clock: Clock) -> None:
    clock.moment += HOUR
    host.publisher.book("boardroom", NOW, NOW + HOUR)
    clock.moment -= 2 * HOUR
    assert b"VEVENT" in (await ask(host, headers={"Accept-Encoding": "identity"}))[2]


async def test_a_login_is_wanted_where_it_is_set(host: FeedHost) -> None:
    host.publisher.serve("boardroom", login=("placed", "right"))
    status, headers, _ = await ask(host)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Basic realm="calendars"')
    assert (await ask(host, headers={"Authorization": aiohttp.encode_basic_auth("placed", "right")}))[
        0
    ] == 200
    assert (await ask(host, headers={"Authorization": aiohttp.encode_basic_auth("placed", "wrong")}))[
        0
    ] == 401


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": Kind.STATUS, "status": 429, "retry_after": "7"}, 429),
        ({"kind": Kind.LOGIN_PAGE}, 200),
        ({"kind": Kind.EMPTY}, 200),
        ({"kind": Kind.REDIRECT, "detail": "/elsewhere"}, 302),
        ({"kind": Kind.REDIRECT, "status": 308}, 308),
        ({"kind": Kind.LOOP}, 302),
        ({"kind": Kind.LOGIN}, 401),
        ({"kind": Kind.UNCHANGED}, 304),
        ({"kind": Kind.SHORT}, 200),
    ],
)
async def test_a_fault_spoils_an_answer_as_often_as_it_is_set(
    host: FeedHost, fault: dict[str, Any], expected: int
) -> None:
    right = await ask(host)
    host.publisher.faults.add(Fault(times=1, **fault))
    status, _, body = await ask(host)
    assert status == expected
    assert body != right[2]
    assert (await ask(host))[2] == right[2]


@pytest.mark.parametrize("kind", [Kind.DROP, Kind.CUT])
async def test_a_connection_is_cut(host: FeedHost, kind: Kind) -> None:
    host.publisher.faults.add(Fault(kind=kind))
    with pytest.raises(aiohttp.ClientError):
        await ask(host)


def test_a_fault_is_over_after_one_time_at_least() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Fault(kind=Kind.DROP, times=0)


# --- the control interface ---


async def play(host: FeedHost, method: str, resource: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body)
    status, _, answer = await ask(host, f"/_control/{resource}", method=method, data=data)
    return status, json.loads(answer)


async def test_another_process_can_play_it(host: FeedHost) -> None:
    status, rooms = await play(host, "POST", "rooms", {"room": "annex", "last_modified": True})
    assert status == 200
    assert [room["room"] for room in rooms] == ["boardroom", "annex"]
    assert rooms[1]["link"] == host.link_of("annex")
    _, booked = await play(host, "POST", "meetings", {"room": "annex", "start": "now", "end": "+1h"})
    assert (await play(host, "POST", f"meetings/{booked['id']}/move", {"start": "+1h", "end": "+2h"}))[
        0
    ] == 200
    assert (await play(host, "POST", f"meetings/{booked['id']}/cancel"))[0] == 200
    assert "STATUS:CANCELLED" in host.publisher.published(host.publisher.room("annex"))[1]
    assert (await play(host, "DELETE", f"meetings/{booked['id']}"))[0] == 200
    assert (await play(host, "POST", "faults", {"kind": "hang", "room": "annex"}))[0] == 200
    assert len((await play(host, "GET", "faults"))[1]) == 1
    assert (await play(host, "DELETE", "faults"))[1] == []
    assert (await play(host, "POST", "delay", {"length": "1d"}))[1] == {"delay_seconds": 86400.0}
    assert (await play(host, "POST", "clock", {"length": "-90s"}))[1] == {"ahead_seconds": -90.0}
    assert (await play(host, "POST", "rooms/annex/text", {"text": "x"}))[0] == 200
    assert (await play(host, "POST", "rooms/annex/new-link"))[1][1]["link"] != rooms[1]["link"]
    assert len((await play(host, "DELETE", "rooms/annex"))[1]) == 1
    assert (await play(host, "GET", "nothing"))[0] == 404
    assert (await play(host, "POST", "rooms", {"roam": 1}))[0] == 400


# --- texts of another week ---


def test_a_text_is_moved_by_whole_weeks_and_old_rules_stay() -> None:
    text = (
        "DTSTART;TZID=Europe/Berlin:20261202T090000\nDTSTART;VALUE=DATE:20261203\nEXDATE:20261209T080000Z\n"
        "RRULE:FREQ=WEEKLY;UNTIL=20261230T080000Z\nDTSTART:19700329T020000\nDTSTART:20261399\nUID:20261202abc\n"
    )
    found = moved(text, date(2026, 11, 30), datetime(2027, 1, 8, tzinfo=UTC))
    assert "Berlin:20270106T090000\n" in found
    assert "DATE:20270107\n" in found
    assert "EXDATE:20270113T080000Z\n" in found
    assert "UNTIL=20270203T080000Z\n" in found
    assert "19700329T020000\n" in found
    assert "DTSTART:20261399\n" in found
    assert "UID:20261202abc\n" in found


async def test_a_client_that_leaves_a_slow_answer_is_no_error_of_the_host(
    host: FeedHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.publisher.faults.add(Fault(kind=Kind.DRIP))
    context = ssl.create_default_context(cafile=str(host.ca_file))
    async with (
        aiohttp.ClientSession() as session,
        session.get(host.link_of("boardroom"), ssl=context) as response,
    ):
        assert await response.content.readany()
    async with asyncio.timeout(DEADLINE):
        while host.under_way:  # noqa: ASYNC110 - the host has no event for it
            await asyncio.sleep(0.01)
    assert caplog.records == []
