"""The parts of the pages that are pure, in the browser that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.http.pages import Assets

if TYPE_CHECKING:
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def run(eyes: BrowserSession, endpoint: Endpoint, module: str, script: str) -> Any:
    """What a function of the module `m` gives."""
    page = await eyes.open(endpoint.server.url)
    address = f"/static/{Assets().version}/{module}"
    return await page.evaluate(f"async () => {{ const m = await import('{address}'); {script} }}")


async def test_the_clock_takes_the_latest_that_it_can_be(eyes: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        eyes,
        endpoint,
        "clock.js",
        """
        let perf = 1000, wall = 5000, leaps = 0;
        const clock = new m.ServerClock(() => (leaps += 1), () => perf, () => wall);
        const told = [String(clock.now()), clock.known];
        const pass = (ms) => { perf += ms; wall += ms; };
        clock.sample(100_000, 1000, 1040);   // it was 100,000 at some time between
        perf = 1040; wall = 5040;
        told.push(clock.now());              // 40 later at most
        clock.sample(100_045, 1040, 1050);   // a narrower one
        pass(10);
        told.push(clock.now());
        pass(60_000);
        told.push(clock.now());
        wall += 3_600_000;                   // it slept for an hour, and the steady clock did too
        told.push(clock.now());
        wall -= 7_200_000;                   // somebody sets the clock back: nothing gets younger by that
        told.push(clock.now());
        await Promise.resolve();
        told.push(leaps);
        const at = clock.steady();
        clock.sample(170_000, at, at);       // the daemon knows better
        told.push(clock.now());
        return told;
        """,
    )
    assert reported == ["NaN", False, 100_040, 100_050, 160_050, 3_760_050, 3_760_050, 1, 170_000]


async def test_events_are_read_however_they_are_cut(eyes: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        eyes,
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


async def test_durations_are_formatted_in_everyday_words(eyes: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        eyes,
        endpoint,
        "words.js",
        """
        const said = {"minutes": "{count} min", "hours": "{count} h", "days.other": "{count} days"};
        const words = new m.Words(said, "en");
        const all = [1, 60_000, 60_100, 3_540_000, 3_540_100, 3_660_000, 90_000_000, 172_800_000];
        return all.map((ms) => words.left(ms));
        """,
    )
    assert reported == ["1 min", "1 min", "2 min", "59 min", "1 h", "1 h 1 min", "25 h", "2 days"]


async def test_the_first_language_that_there_is_is_taken(eyes: BrowserSession, endpoint: Endpoint) -> None:
    reported = await run(
        eyes,
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
