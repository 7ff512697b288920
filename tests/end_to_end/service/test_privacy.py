"""What of meetings leaves the program, by the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import UNTOUCHED

if TYPE_CHECKING:
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival

SUBJECT, ORGANIZER = "Salary review of Quentin", "Grace Quillfeather"
SHOWN: dict[str, tuple[str | None, str | None]] = {
    "nothing": (None, None),
    "organizer": (None, ORGANIZER),
    "title": (SUBJECT, None),
    "everything": (SUBJECT, ORGANIZER),
}


@pytest.mark.parametrize("show", SHOWN)
async def test_the_privacy_setting_is_applied_and_private_meetings_show_only_their_time(
    deployment: Deployment, show: str
) -> None:
    tenant, now = deployment.tenant, deployment.clock.now().replace(microsecond=0)
    hour = timedelta(hours=1)
    for room in ("boardroom", "library"):
        tenant.set_processing(room, UNTOUCHED)
    deployment.configure(privacy={"show": show})
    async with (
        deployment.daemon() as running,
        deployment.ways_out(running) as (panel, web),
        web.follow() as stream,
    ):
        tenant.book("boardroom", now - hour, now + hour, subject=SUBJECT, organizer=ORGANIZER)
        tenant.book(
            "library", now - hour, now + hour, subject=SUBJECT, organizer=ORGANIZER, sensitivity="private"
        )
        for room, private in (("boardroom", False), ("library", True)):
            title, organizer = (None, None) if private else SHOWN[show]
            expected: dict[str, Any] = {
                "start": f"{now - hour:%Y-%m-%dT%H:%M:%SZ}",
                "end": f"{now + hour:%Y-%m-%dT%H:%M:%SZ}",
                "title": title,
                "organizer": organizer,
                "private": private,
                "all_day": False,
            }
            topic = f"placed/rooms/{room}"
            state = await panel.until(
                lambda a, topic=topic: a.topic == f"{topic}/state" and a.document["current"]  # type: ignore[misc]
            )
            assert state.document["current"] == expected
            event = await panel.message(f"{topic}/event")
            assert event.document["meeting"] == expected
            assert (await web.room(room))["current"] == expected
        room = await stream.state("boardroom", status="busy")
        assert (room["current"]["title"], room["current"]["organizer"]) == SHOWN[show]
    reported = repr(running.logs)
    assert SUBJECT not in reported
    assert ORGANIZER not in reported


@pytest.mark.parametrize("before", SHOWN)
@pytest.mark.parametrize("after", ["nothing", "organizer", "title"])
async def test_the_state_directory_holds_nothing_that_may_not_be_shown(
    deployment: Deployment, before: str, after: str
) -> None:
    now, hour = deployment.clock.now().replace(microsecond=0), timedelta(hours=1)
    for room, private in (("boardroom", "normal"), ("library", "Private")):
        deployment.tenant.set_processing(room, UNTOUCHED)
        deployment.tenant.book(
            room,
            now - hour,
            now + hour,
            subject=f"{SUBJECT} {private}",
            organizer=f"{ORGANIZER} {private}",
            sensitivity=private,  # type: ignore[arg-type]  # a word that Graph does not have
        )
    for show in (before, after):
        deployment.configure(privacy={"show": show})
        title, organizer = SHOWN[show]
        expected = [title and f"{title} normal", organizer and f"{organizer} normal"]

        def is_read(arrival: Arrival, expected: list[str | None] = expected) -> bool:
            """Not only recalled from the run before, which may have shown less."""
            if arrival.topic != "placed/rooms/boardroom/state" or not arrival.payload:
                return False
            current = arrival.document["current"]
            return current is not None and [current["title"], current["organizer"]] == expected

        async with deployment.daemon(), deployment.listener() as panel:
            await panel.message("placed/rooms/library/status", "busy")
            await panel.until(is_read)
        content = b"".join(f.read_bytes() for f in sorted(deployment.state_directory.iterdir()))
        assert (f"{SUBJECT} normal".encode() in content) is (title is not None)
        assert (f"{ORGANIZER} normal".encode() in content) is (organizer is not None)
        assert b" Private" not in content


async def test_fields_that_are_not_shown_are_not_requested(deployment: Deployment) -> None:
    async with deployment.daemon():
        (path, *_), *_ = deployment.batches
    selected = path.partition("$select=")[2].partition("&")[0].split(",")
    assert not {"subject", "organizer", "attendees", "body", "bodyPreview", "location"} & set(selected)
