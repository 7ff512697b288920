"""What Exchange makes of a booking in a room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import CalendarProcessing

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant

NINE = datetime(2026, 10, 6, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def test_by_default_the_subject_is_the_organizers_name_and_nothing_is_private(tenant: Tenant) -> None:
    meeting = tenant.meeting(
        tenant.book("boardroom", NINE, TEN, subject="Layoffs", organizer="Ada Example", sensitivity="private")
    )
    assert (meeting.subject, meeting.sensitivity) == ("Ada Example ", "normal")


@pytest.mark.parametrize(
    ("processing", "subject", "sensitivity"),
    [
        (CalendarProcessing(delete_subject=False), "Ada Example Review", "normal"),
        (CalendarProcessing(add_organizer_to_subject=False), "", "normal"),
        (CalendarProcessing(delete_subject=False, add_organizer_to_subject=False), "Review", "normal"),
        (CalendarProcessing(remove_private_property=False), "Ada Example ", "private"),
    ],
)
def test_each_switch_does_its_part(
    tenant: Tenant, processing: CalendarProcessing, subject: str, sensitivity: str
) -> None:
    tenant.set_processing("boardroom", processing)
    meeting = tenant.meeting(tenant.book("boardroom", NINE, TEN, subject="Review", sensitivity="private"))
    assert (meeting.subject, meeting.sensitivity) == (subject, sensitivity)


def test_a_cancelled_meeting_stays_as_a_free_copy(tenant: Tenant) -> None:
    booked = tenant.book("boardroom", NINE, TEN, organizer="Ada Example")
    tenant.cancel(booked)
    meeting = tenant.meeting(booked)
    assert (meeting.cancelled, meeting.show_as) == (True, "free")
    assert meeting.subject == "Canceled: Ada Example "


def test_a_cancelled_meeting_goes_where_the_room_removes_such(tenant: Tenant) -> None:
    tenant.set_processing("boardroom", CalendarProcessing(remove_canceled_meetings=True))
    tenant.cancel(tenant.book("boardroom", NINE, TEN))
    assert tenant.meetings("boardroom") == []


def test_a_request_without_an_answer_is_tentative_and_as_it_came(tenant: Tenant) -> None:
    booked = tenant.book("boardroom", NINE, TEN, subject="Review", response="notResponded")
    assert (tenant.meeting(booked).show_as, tenant.meeting(booked).subject) == ("tentative", "Review")
    tenant.respond(booked, "accepted")
    assert tenant.meeting(booked).show_as == "busy"


def test_a_request_without_an_answer_can_be_free(tenant: Tenant) -> None:
    tenant.set_processing("boardroom", CalendarProcessing(add_new_requests_tentatively=False))
    booked = tenant.book("boardroom", NINE, TEN, response="notResponded")
    assert tenant.meeting(booked).show_as == "free"


def test_a_declined_meeting_stays_or_goes(tenant: Tenant) -> None:
    booked = tenant.book("boardroom", NINE, TEN)
    tenant.decline(booked)
    assert tenant.meeting(booked).response == "declined"
    tenant.decline(booked, stays=False)
    with pytest.raises(LookupError, match="no meeting"):
        tenant.meeting(booked)


def test_times_without_a_zone_are_refused(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="aware"):
        tenant.book("boardroom", NINE.replace(tzinfo=None), TEN)


def test_a_person_keeps_subject_and_privacy(tenant: Tenant) -> None:
    meeting = tenant.meeting(
        tenant.book("ada", NINE, TEN, subject="Dentist", sensitivity="private")  # a canary's calendar
    )
    assert (meeting.subject, meeting.sensitivity) == ("Dentist", "private")
