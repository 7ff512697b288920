"""The parts of the pages that are pure, in the browser that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.http.pages import Assets

if TYPE_CHECKING:
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def run(tabs: BrowserSession, endpoint: Endpoint, module: str, script: str) -> Any:
    """What a function of the module `m` gives."""
    page = await tabs.open(endpoint.server.url)
    address = f"/static/{Assets().version}/{module}"
    return await page.evaluate(f"async () => {{ const m = await import('{address}'); {script} }}")


async def test_the_clock_takes_the_latest_that_it_can_be(tabs: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        tabs,
        endpoint,
        "clock.js",
        """
        let perf = 1000, wall = 5000, leaps = 0;
        const clock = new m.ServerClock(() => (leaps += 1), () => perf, () => wall);
        const seen = [String(clock.now()), clock.known];
        const pass = (ms) => { perf += ms; wall += ms; };
        clock.sample(100_000, 1000, 1040);   // it was 100,000 at some time between
        perf = 1040; wall = 5040;
        seen.push(clock.now());              // 40 later at most
        clock.sample(100_045, 1040, 1050);   // a narrower one
        pass(10);
        seen.push(clock.now());
        pass(60_000);
        seen.push(clock.now());
        wall += 3_600_000;                   // it slept for an hour, and the steady clock did too
        seen.push(clock.now());
        wall -= 7_200_000;                   // somebody sets the clock back: nothing gets younger by that
        seen.push(clock.now());
        await Promise.resolve();
        seen.push(leaps);
        const at = clock.steady();
        clock.sample(170_000, at, at);       // the daemon knows better
        seen.push(clock.now());
        return seen;
        """,
    )
    assert reported == ["NaN", False, 100_040, 100_050, 160_050, 3_760_050, 3_760_050, 1, 170_000]


async def test_events_are_read_however_they_are_cut(tabs: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        tabs,
        endpoint,
        "stream.js",
        r"""
        const text = 'retry: 2000\n\nevent: state\nid: 7-1\ndata: {"a":"b: c"}\n\n: keep-alive\n\n' +
          'event: health\ndata: x\ndata:y\n\nevent: st';
        const whole = JSON.stringify(new m.EventParser().take(text));
        for (let cut = 0; cut <= text.length; cut += 1) {
          const parser = new m.EventParser();
          const parts = [...parser.take(text.slice(0, cut)), ...parser.take(text.slice(cut))];
          if (JSON.stringify(parts) !== whole) return cut;
        }
        return JSON.parse(whole);
        """,
    )
    assert reported == [
        {"event": "state", "id": "7-1", "data": '{"a":"b: c"}'},
        {"event": "health", "id": None, "data": "x\ny"},
    ]


async def test_durations_are_formatted_in_everyday_words(tabs: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        tabs,
        endpoint,
        "words.js",
        """
        const texts = {"minutes": "{count} min", "hours": "{count} h", "days.other": "{count} days"};
        const words = new m.Words(texts, "en");
        const all = [1, 60_000, 60_100, 3_540_000, 3_540_100, 3_660_000, 90_000_000, 172_800_000];
        return all.map((ms) => words.left(ms));
        """,
    )
    assert reported == ["1 min", "1 min", "2 min", "59 min", "1 h", "1 h 1 min", "25 h", "2 days"]


async def test_the_first_language_that_there_is_is_taken(tabs: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        tabs,
        endpoint,
        "words.js",
        """
        const there = ["en", "de", "pt-BR"];
        const wanted = [["fr-FR", "de-CH", "en"], ["fr"], ["pt-BR"], ["pt-PT"], ["EN-us"]];
        return wanted.map((tags) => m.choose(tags, there));
        """,
    )
    assert [(found["language"], found["tag"]) for found in reported] == [
        ("de", "de-CH"),
        ("en", "en-GB"),
        ("pt-BR", "pt-BR"),
        ("en", "en-GB"),
        ("en", "EN-us"),
    ]


async def test_a_presence_is_shown_until_its_own_time_is_past_and_the_status_goes_on(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    """In a document that is valid for longer than its presence, which the daemon does not publish."""
    reported = await run(
        tabs,
        endpoint,
        "room.js",
        """
        const at = (ms) => new Date(ms).toISOString();
        const presence = { state: "present", count: null, since: at(0), valid_until: at(60_000) };
        const document = await (await fetch("/api/v1/rooms/library")).json();
        const room = m.readRoom({ ...document, status: "free", valid_until: at(900_000), presence });
        return [59_999, 60_000].map((now) => [m.statusAt(room, now), m.presenceAt(room, now)?.state ?? null]);
        """,
    )
    assert reported == [["free", "present"], ["free", None]]
