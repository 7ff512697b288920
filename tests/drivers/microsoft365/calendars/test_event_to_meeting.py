"""From an event to a meeting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from placed.domain.model import Meeting, ShowAs
from placed_microsoft365.calendars.event_to_meeting import meeting_of
from placed_microsoft365.graph.json_structs import Event
from placed_microsoft365.simulator import UNTOUCHED
from tests.drivers.microsoft365.driver_setup import BOARDROOM, UTC_ZONE, DriverSetup, at

NINE = {"dateTime": "2026-10-06T09:00:00.0000000", "timeZone": "UTC"}
TEN = {"dateTime": "2026-10-06T10:00:00.0000000", "timeZone": "UTC"}


def meeting(**fields: Any) -> Meeting:
    event = {"id": "1", "start": NINE, "end": TEN, **fields}
    return meeting_of(msgspec.convert(event, Event), UTC_ZONE)


def named(organizer: str | None) -> dict[str, Any]:
    return {"emailAddress": {"name": organizer, "address": "someone@contoso.example"}}


@pytest.mark.parametrize(
    ("subject", "organizer", "title"),
    [
        ("Ada Example ", "Ada Example", None),
        ("Ada Example", "Ada Example", None),
        ("Ada Example Budget", "Ada Example", "Budget"),
        ("Annual report", "Ann", "Annual report"),
        ("Budget with Ada Example", "Ada Example", "Budget with Ada Example"),
        ("Budget", "", "Budget"),
        ("Budget", None, "Budget"),
        (" ", None, None),
        (None, "Ada Example", None),
    ],
)
def test_a_title_is_the_subject_without_the_organizer(
    subject: str | None, organizer: str | None, title: str | None
) -> None:
    assert meeting(subject=subject, organizer=named(organizer)).title == title


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("free", ShowAs.FREE),
        ("tentative", ShowAs.TENTATIVE),
        ("busy", ShowAs.BUSY),
        ("oof", ShowAs.OOF),
        ("workingElsewhere", ShowAs.WORKING_ELSEWHERE),
        ("unknown", ShowAs.UNRECOGNISED),
        ("Free", ShowAs.UNRECOGNISED),
        ("daydreaming", ShowAs.UNRECOGNISED),
        (None, ShowAs.UNRECOGNISED),
    ],
)
def test_what_is_not_known_is_not_free(sent: str | None, shown: ShowAs) -> None:
    assert meeting(showAs=sent).show_as is shown


@pytest.mark.parametrize("sensitivity", ["personal", "private", "confidential"])
def test_what_is_marked_is_private(sensitivity: str) -> None:
    assert meeting(sensitivity=sensitivity).private
    assert not meeting(sensitivity="normal").private


@pytest.mark.parametrize(
    "sensitivity",
    ["Private", "PERSONAL", "Normal", "secret", "unknownFutureValue", "", 2, True, {}, ["normal"]],
)
def test_what_is_not_plainly_normal_is_private(sensitivity: object) -> None:
    assert meeting(sensitivity=sensitivity).private


def test_without_a_word_on_it_nothing_is_private() -> None:
    assert not meeting(sensitivity=None).private
    assert not meeting().private


def test_only_a_declined_request_is_declined() -> None:
    assert meeting(responseStatus={"response": "declined"}).declined
    for response in ("none", "organizer", "tentativelyAccepted", "accepted", "notResponded", None):
        assert not meeting(responseStatus={"response": response}).declined


@pytest.mark.parametrize(
    ("moment", "zone", "utc"),
    [
        ("2026-10-06T09:00:00.1234567", "UTC", datetime(2026, 10, 6, 9, 0, 0, 123456, UTC)),
        ("2026-10-06T09:00:00", "tzone://Microsoft/Utc", datetime(2026, 10, 6, 9, tzinfo=UTC)),
        ("2026-10-06T09:00:00Z", "UTC", datetime(2026, 10, 6, 9, tzinfo=UTC)),
        ("2026-10-06T09:00:00+02:00", "UTC", datetime(2026, 10, 6, 7, tzinfo=UTC)),
        ("2026-10-06T09:00:00", "Europe/Berlin", datetime(2026, 10, 6, 7, tzinfo=UTC)),
    ],
)
def test_moments_are_utc(moment: str, zone: str, utc: datetime) -> None:
    read = meeting(start={"dateTime": moment, "timeZone": zone}).start
    assert read == utc
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-10-25T01:00:00", "2026-10-25T02:30:00", (23 * 60, 25 * 60 + 30)),  # 2:30 comes twice
        ("2026-10-25T02:10:00", "2026-10-25T02:50:00", (24 * 60 + 10, 25 * 60 + 50)),
        ("2026-10-25T02:30:00", "2026-10-25T04:00:00", (24 * 60 + 30, 27 * 60)),
        ("2026-03-29T02:30:00", "2026-03-29T04:30:00", (24 * 60 + 30, 26 * 60 + 30)),  # 2:30 does not come
    ],
)
def test_in_a_night_in_which_the_clocks_change_a_meeting_occupies_whatever_its_times_may_mean(
    start: str, end: str, minutes: tuple[int, int]
) -> None:
    found = meeting(
        start={"dateTime": start, "timeZone": "Europe/Berlin"},
        end={"dateTime": end, "timeZone": "Europe/Berlin"},
    )
    eve = datetime.fromisoformat(start[:10]).replace(tzinfo=UTC) - timedelta(days=1)
    assert (found.start, found.end) == tuple(eve + timedelta(minutes=number) for number in minutes)


@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "", "../../etc/passwd", "\0", "x" * 5000])
def test_an_unrequested_time_zone_is_rejected(zone: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        meeting(start={"dateTime": "2026-10-06T09:00:00", "timeZone": zone})


async def test_the_meetings_of_a_simulated_room(driver_setup: DriverSetup) -> None:
    tenant = driver_setup.tenant
    tenant.set_processing(BOARDROOM, UNTOUCHED)
    tenant.book(BOARDROOM, at(8), at(9), subject="Budget", sensitivity="private")
    tenant.book(BOARDROOM, at(9), at(10), show_as="free", response="declined")
    tenant.cancel(tenant.book(BOARDROOM, at(10), at(11), show_as="tentative"))
    tenant.book_series(BOARDROOM, at(11), at(12), count=2, subject="Series")
    first, second, third, *series = await driver_setup.meetings(driver_setup.open())
    assert (first.title, first.organizer, first.private) == ("Budget", "Ada Example", True)
    assert (second.show_as, second.declined) == (ShowAs.FREE, True)
    assert third.cancelled
    assert [m.start for m in series] == [at(11), at(11) + timedelta(days=1)]
    assert len({m.key for m in (first, second, third, *series)}) == 5


async def test_a_meeting_that_is_moved_keeps_its_key(driver_setup: DriverSetup) -> None:
    booked = driver_setup.tenant.book(BOARDROOM, at(8), at(9))
    driver = driver_setup.open()
    (before,) = await driver_setup.meetings(driver)
    driver_setup.tenant.move(booked, at(14), at(15))
    (after,) = await driver_setup.meetings(driver)
    assert (before.key, after.start) == (after.key, at(14))


@pytest.mark.parametrize(
    ("properties", "booked"),
    [
        (None, None),
        ([], None),
        ([{"id": "SystemTime 0x3007", "value": "2026-10-05T08:30:00Z"}], at(8, 30) - timedelta(days=1)),
        ([{"id": "systemtime 0x3007", "value": "2026-10-05T10:30:00+02:00"}], at(8, 30) - timedelta(days=1)),
        ([{"id": "SystemTime 0x3008", "value": "2026-10-05T08:30:00Z"}], None),
        ([{"id": "SystemTime 0x3007", "value": "2026-10-05T08:30:00"}], None),  # of no time zone
        ([{"id": "SystemTime 0x3007", "value": "yesterday"}], None),
        ([{"id": "SystemTime 0x3007", "value": None}], None),
    ],
)
def test_when_a_meeting_was_booked_is_an_extended_property(properties: object, booked: object) -> None:
    assert meeting(singleValueExtendedProperties=properties).created_at == booked


def test_occurrences_of_a_series_have_one_series() -> None:
    one, other = meeting(id="1", seriesMasterId="master"), meeting(id="2", seriesMasterId="master")
    assert one.series == other.series is not None
    assert one.series != meeting(seriesMasterId="another").series
    assert meeting().series is None


@pytest.mark.parametrize(("table", "asked"), [({}, False), ({"check_in": {}}, True)])
async def test_when_a_meeting_was_booked_is_asked_for_only_where_check_in_needs_it(
    driver_setup: DriverSetup, table: dict[str, Any], *, asked: bool
) -> None:
    tenant = driver_setup.tenant
    booked, *_ = tenant.book_series(BOARDROOM, at(9), at(10), count=2)
    (first, *_) = await driver_setup.meetings(driver_setup.open(**table))
    assert first.created_at == (tenant.meeting(booked).created if asked else None)
    assert (first.series is not None) is asked
