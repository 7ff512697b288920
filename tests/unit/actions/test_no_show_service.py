"""No-shows over time: what is judged when, rehearsed or released, counted and published."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from placed.domain.action import Refusal
from tests.support.domain_builders import at
from tests.support.no_show_setup import NoShowSetup, booked

STAND_UP = booked()


async def test_a_room_is_released_when_nobody_has_checked_in_and_the_window_has_settled() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:10:44")
    assert setup.releaser.asked == 0
    await setup.pass_until("10:10:46")
    assert setup.releaser.released == [("boardroom", STAND_UP)]
    (event,) = setup.no_shows
    assert (event.meeting, event.rehearsal, event.strikes) == (STAND_UP, False, None)
    assert setup.service.counts == {("release", "released"): 1}
    await setup.pass_until("10:40")
    assert setup.releaser.asked == 1
    assert setup.week["sentence"] == "released 1 of 1 meeting"


async def test_a_rehearsal_publishes_what_it_would_do_and_writes_nothing() -> None:
    setup = NoShowSetup(mode="rehearse")
    setup.book(replace(STAND_UP, series="stand-up"))
    with capture_logs() as logs:
        await setup.pass_until("10:10:46")
    assert setup.releaser.asked == 0
    (event,) = setup.no_shows
    assert (event.rehearsal, event.strikes) == (True, 1)
    assert setup.service.counts == {("rehearse", "released"): 1}
    (line,) = [line for line in logs if line["event"] == "no_show.was_rehearsed"]
    assert (line["room"], line["start"], line["strikes"]) == ("boardroom", "2026-10-06T10:00:00Z", 1)


@pytest.mark.parametrize("at_time", ["9:55", "10:00", "10:09:59"])
async def test_a_meeting_that_was_checked_in_to_is_kept(at_time: str) -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until(at_time)
    setup.check_in(STAND_UP)
    await setup.pass_until("10:30")
    assert setup.releaser.asked == 0
    assert setup.week["kept"] == {"checked_in": 1}
    assert setup.service.counts == {}  # that is no no-show


async def test_somebody_who_checks_in_while_the_calendar_is_read_again_is_in_time() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    setup.releaser.while_looking = lambda: setup.check_in(STAND_UP)
    await setup.pass_until("10:11")
    assert (setup.releaser.asked, setup.releaser.released, setup.no_shows) == (1, [], [])
    assert setup.service.counts == {("release", "failed"): 1}


async def test_a_meeting_that_was_changed_while_the_calendar_is_read_again_is_kept() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    setup.releaser.while_looking = lambda: setup.book(replace(STAND_UP, end=at("11:30")))
    await setup.pass_until("10:11")
    assert (setup.releaser.asked, setup.releaser.released) == (1, [])


async def test_a_restart_within_the_window_releases_nothing() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:05")
    setup.start()
    await setup.pass_until("10:40")
    assert setup.releaser.asked == 0
    assert setup.week["meetings"] == 1


async def test_a_reload_within_the_window_releases_nothing() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:05")
    setup.change(at_most=7)
    await setup.pass_until("10:40")
    assert setup.releaser.asked == 0
    assert setup.week["kept"] == {"not_watched": 1}


@pytest.mark.parametrize("event", ["step", "pause"])
async def test_a_gap_within_the_window_releases_nothing(event: str) -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:05")
    if event == "step":
        setup.clock.step(2)
    else:
        setup.clock.pass_(6)
    await setup.pass_until("10:40")
    assert setup.releaser.asked == 0


async def test_a_panel_that_is_away_for_a_minute_releases_nothing() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:03")
    setup.panels = False
    await setup.pass_until("10:04")
    setup.panels = True
    await setup.pass_until("10:40")
    assert setup.releaser.asked == 0
    assert setup.week["kept"] == {"no_way_to_check_in": 1}


async def test_a_room_without_a_panel_or_sensor_is_never_released() -> None:
    setup = NoShowSetup()
    setup.panels = False
    setup.book(STAND_UP)
    await setup.pass_until("10:40")
    assert setup.week["kept"] == {"no_way_to_check_in": 1}


async def test_a_panel_at_the_broker_is_a_way_while_it_is_connected() -> None:
    for keeps in (True, False):
        setup = NoShowSetup()
        setup.panels = False
        setup.facts.panel_is_connected("boardroom", connected=True)
        setup.book(STAND_UP)
        await setup.pass_until("10:03")
        if keeps:
            setup.facts.panel_is_connected("boardroom", connected=False)
        await setup.pass_until("10:30")
        assert bool(setup.releaser.released) is not keeps


async def test_a_panel_with_an_open_event_stream_is_a_way_to_check_in() -> None:
    for ends in (True, False):
        setup = NoShowSetup()
        setup.panels = False
        setup.facts.panel_has_stream("boardroom", 1, is_open=True)
        setup.book(STAND_UP)
        await setup.pass_until("10:03")
        if ends:
            setup.facts.panel_has_stream("boardroom", 1, is_open=False)
        await setup.pass_until("10:30")
        assert bool(setup.releaser.released) is not ends


async def test_somebody_who_used_the_panel_without_checking_in_is_there() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:03")
    setup.facts.was_used("boardroom")
    await setup.pass_until("10:40")
    assert setup.week["kept"] == {"presence": 1}


async def test_a_calendar_that_was_not_read_is_read_and_the_meeting_is_judged_then() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:09:30")
    setup.reads = False
    await setup.pass_until("10:11")
    assert setup.releaser.asked == 0
    assert set(setup.asked_to_read) == {"boardroom"}
    setup.reads = True
    await setup.pass_until("10:12")
    assert setup.releaser.released == [("boardroom", STAND_UP)]


async def test_a_calendar_that_is_not_read_any_more_releases_nothing() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:09:30")
    setup.reads = False
    await setup.pass_until("10:59")
    assert setup.releaser.asked == 0
    assert setup.week["kept"] == {"not_read": 1}


async def test_a_meeting_that_is_cancelled_or_moved_in_time_is_no_no_show() -> None:
    setup = NoShowSetup()
    setup.book(STAND_UP)
    await setup.pass_until("10:05")
    setup.book(replace(STAND_UP, start=at("12:00"), end=at("13:00")))
    await setup.pass_until("10:40")
    assert (setup.releaser.asked, setup.week["meetings"]) == (0, 0)


async def test_no_more_than_at_most_are_released_in_an_hour() -> None:
    rooms = ("atrium", "boardroom", "library")
    setup = NoShowSetup(*rooms, at_most=2)
    setup.book(STAND_UP, booked("11:30", "12:30"))
    with capture_logs() as logs:
        await setup.pass_until("10:30")
    assert len(setup.releaser.released) == 2
    assert setup.week["kept"] == {"too_many": 1}
    (line,) = [line for line in logs if line["event"] == "no_show.limit_was_reached"]
    assert line["at_most"] == 2
    setup.start()  # the number is known after a restart, too
    await setup.pass_until("11:45")
    assert len(setup.releaser.released) == 4


async def test_the_number_of_the_last_hour_is_known_after_a_restart() -> None:
    setup = NoShowSetup(at_most=1)
    setup.book(booked("10:00", "10:30"), booked("10:30", "11:00"))
    await setup.pass_until("10:15")
    setup.start()
    await setup.pass_until("10:59")
    assert len(setup.releaser.released) == 1
    assert setup.week["kept"] == {"too_many": 1}


async def test_a_release_that_the_service_refuses_is_counted_and_not_repeated() -> None:
    setup = NoShowSetup()
    setup.releaser.reason = Refusal.FORBIDDEN
    setup.book(STAND_UP)
    with capture_logs() as logs:
        await setup.pass_until("10:50")
    assert (setup.releaser.asked, setup.no_shows) == (1, [])
    assert setup.service.counts == {("release", "failed"): 1}
    (line,) = [line for line in logs if line["event"] == "no_show.was_not_released"]
    assert (line["outcome"], line["reason"]) == ("refused", "forbidden")


async def test_a_meeting_that_cannot_be_judged_is_kept_and_the_others_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setup = NoShowSetup("atrium", "boardroom")
    setup.book(STAND_UP)
    right = setup.facts.of

    def fails_once(room_id: str, *rest: Any) -> Any:
        if room_id == "atrium":
            raise ValueError("a fault")
        return right(room_id, *rest)

    monkeypatch.setattr(setup.facts, "of", fails_once)
    with capture_logs() as logs:
        await setup.pass_until("10:11")
    assert setup.releaser.released == [("boardroom", STAND_UP)]
    (line,) = [line for line in logs if line["event"] == "no_show.failed"]
    assert line["room"] == "atrium"


async def test_a_week_is_reported_when_it_is_over_and_people_who_came_later_are_counted() -> None:
    setup = NoShowSetup("boardroom", "library", mode="rehearse")
    setup.book(STAND_UP)
    await setup.pass_until("10:20")
    setup.facts.was_used("boardroom")  # too late to check in
    await setup.pass_until("10:21")
    expected = "would have released 2 of 2 meetings, 1 of them had people in the room later"
    assert setup.week["sentence"] == expected
    with capture_logs() as logs:
        setup.clock.pass_(7 * 86_400)
        setup.service.judge_due(1)
    (line,) = [line for line in logs if line["event"] == "no_show.week_is_over"]
    assert (line["connection"], line["sentence"]) == ("contoso", expected)
    (document,) = setup.service.documents()
    assert (document["last_week"]["sentence"], document["this_week"]["meetings"]) == (expected, 0)


async def test_numbers_go_on_after_a_restart() -> None:
    setup = NoShowSetup(mode="rehearse")
    setup.book(STAND_UP)
    await setup.pass_until("10:20")
    setup.service.close()
    setup.start()
    assert setup.week["would_release"] == 1


async def test_documents_and_lines_have_no_texts_of_meetings() -> None:
    setup = NoShowSetup("boardroom", "library", mode="rehearse")
    secret: dict[str, Any] = {"title": "Merger", "organizer": "Ada Example"}
    setup.book(replace(STAND_UP, **secret, series="s"))
    with capture_logs() as logs:
        await setup.pass_until("10:20")
    text = f"{logs} {setup.service.documents()} {setup.store.records}"
    assert "Merger" not in text
    assert "Ada" not in text
