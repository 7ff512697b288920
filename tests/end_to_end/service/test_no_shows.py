"""Nobody checks in: what is rehearsed, what is released, and what is not, through to the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.support.acting_panels import TOKEN, post, with_actions
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.deployment import Deployment, Running

STATE, EVENT = "placed/rooms/boardroom/state", "placed/rooms/boardroom/event"
AHEAD = 16  # seconds from the booking to its start
WINDOW = 20  # seconds
SETTLED = AHEAD + WINDOW + 60
LEAP = 4  # seconds; more would be a gap


def with_no_shows(deployment: Deployment, mode: str, at_most: int = 5) -> None:
    with_actions(
        deployment,
        more=(
            f'[connections.check_in]\nfrom = "10s"\nafter = "{WINDOW}s"\n'
            f'[connections.no_show]\nmode = "{mode}"\nat_most = {at_most}\n'
            '[connections.no_show.exempt]\nbooked_within = "0s"\n'
        ),
    )


def book(deployment: Deployment, *rooms: str) -> datetime:
    """Books rooms for an hour; returns the start."""
    start = deployment.clock.now().replace(microsecond=0) + timedelta(seconds=AHEAD)
    for room in rooms or ("boardroom",):
        deployment.tenant.book(room, start, start + timedelta(hours=1), subject="Merger")
    return start


async def ask(url: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"} if "panel" in path else {}
    timeout = aiohttp.ClientTimeout(DEADLINE)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(f"{url}{path}", headers=headers) as response,
    ):
        assert response.status == 200
        return await response.json()


async def pass_time(
    deployment: Deployment, running: Running, seconds: int, panels: tuple[str, ...] = ("boardroom",)
) -> None:
    """Time passes in small leaps; calendars are read after each, and panels show that they are there."""
    for _ in range(seconds // LEAP):
        for room in panels:
            await ask(running.url, f"/api/v1/panel?room={room}")
        deployment.clock.leap(LEAP)
        await deployment.simulator.asked(1)


def declined(deployment: Deployment) -> list[str]:
    """The comments that organizers were sent with a decline."""
    return [message.comment for message in deployment.tenant.messages if message.kind == "declined"]


async def test_a_rehearsal_reports_what_it_would_do_and_writes_nothing(deployment: Deployment) -> None:
    with_no_shows(deployment, "rehearse")
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        book(deployment)
        await pass_time(deployment, running, SETTLED)
        event = await panel.until(lambda a: a.topic == EVENT and a.document["event"] == "no_show")
        assert (event.document["rehearsal"], event.document["strikes"]) == (True, None)
        assert event.document["meeting"]["title"] is None
        (numbers,) = (await ask(running.url, "/api/v1/no-shows"))["connections"]
        sentence = "would have released 1 of 1 meeting, 0 of them had people in the room later"
        assert numbers["this_week"]["sentence"] == sentence
        assert len(deployment.tenant.meetings("boardroom")) == 1
        assert deployment.tenant.messages == []


async def test_a_room_is_released_and_its_organizer_is_sent_the_comment(deployment: Deployment) -> None:
    with_no_shows(deployment, "release")
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        book(deployment)
        await panel.until(lambda a: a.topic == STATE and a.document["next"] is not None)
        await pass_time(deployment, running, AHEAD + 8)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "pending")
        await pass_time(deployment, running, SETTLED - AHEAD - 8)
        event = await panel.until(lambda a: a.topic == EVENT and a.document["event"] == "no_show")
        assert event.document["rehearsal"] is False
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "free")
        assert declined(deployment) == ["The room was released because nobody checked in."]
        assert "Merger" not in str(running.logs)


async def test_somebody_who_checks_in_at_the_last_second_keeps_the_room(deployment: Deployment) -> None:
    with_no_shows(deployment, "release")
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        start = book(deployment)
        await pass_time(deployment, running, AHEAD + 8)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "pending")
        status, reply = await post(running.url, "check-in", meeting=start)
        assert (status, reply["outcome"]) == (200, "done")
        await pass_time(deployment, running, SETTLED)
        (numbers,) = (await ask(running.url, "/api/v1/no-shows"))["connections"]
        assert numbers["this_week"]["kept"] == {"checked_in": 1}
        assert declined(deployment) == []


async def test_without_a_panel_nothing_is_released(deployment: Deployment) -> None:
    with_no_shows(deployment, "release")
    async with deployment.daemon() as running:
        book(deployment)
        await pass_time(deployment, running, SETTLED + WINDOW, panels=())
        (numbers,) = (await ask(running.url, "/api/v1/no-shows"))["connections"]
        assert numbers["this_week"]["kept"] == {"no_way_to_check_in": 1}
        assert declined(deployment) == []


async def test_no_more_rooms_are_released_than_at_most(deployment: Deployment) -> None:
    with_no_shows(deployment, "release", at_most=1)
    async with deployment.daemon() as running:
        book(deployment, "boardroom", "library")
        await pass_time(deployment, running, SETTLED, panels=("boardroom", "library"))
        await running.has_logged("no_show.limit_was_reached")
        await running.has_logged("no_show.was_released")
        assert len(declined(deployment)) == 1


async def test_a_restart_within_the_window_releases_nothing(deployment: Deployment) -> None:
    with_no_shows(deployment, "release")
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        book(deployment)
        await pass_time(deployment, running, AHEAD + 8)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "pending")
    async with deployment.daemon() as running:
        await pass_time(deployment, running, SETTLED + WINDOW)
        (numbers,) = (await ask(running.url, "/api/v1/no-shows"))["connections"]
        assert (numbers["this_week"]["meetings"], numbers["this_week"]["released"]) == (1, 0)
        assert declined(deployment) == []
