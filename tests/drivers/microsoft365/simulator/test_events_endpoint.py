"""Changes of events: who may make them, what they do to both copies, and answers that nobody documents."""

from __future__ import annotations

import ssl
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import Simulator, Tenant, Where
from placed_microsoft365.simulator.tenant.app_access import READ, READ_WRITE
from tests.drivers.microsoft365.driver_setup import at
from tests.drivers.microsoft365.simulator.simulator_client import Answer, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed_microsoft365.simulator import App
    from tests.drivers.microsoft365.simulator.conftest import Clock, HeldSleep

MARK = "String {6d0d6f5c-53a1-4f0e-9a0e-2f0d1b9a4c37} Name placed"


class Writer(Client):
    """A client that changes events of the boardroom."""

    async def change(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        arguments: dict[str, Any] = {} if body is None else {"json": body}
        url = f"{self.simulator.url}/v1.0/users/boardroom@contoso.example/events{path}"
        return await self.send(method, url, headers=self._authorized(headers), **arguments)

    async def book(self, **more: object) -> Answer:
        return await self.change("POST", "", {"start": moment(10), "end": moment(11), "subject": "X", **more})


def moment(hour: int, minute: int = 0) -> dict[str, str]:
    return {"dateTime": f"2026-10-06T{hour:02}:{minute:02}:00", "timeZone": "UTC"}


@pytest.fixture
def app(tenant: Tenant) -> App:
    return tenant.register_app(secrets=["wr1te"], roles={"Calendars.ReadWrite"})


@pytest.fixture
async def writer(simulator: Simulator, app: App) -> AsyncIterator[Writer]:
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    async with Writer(simulator, app, context) as writer:
        yield writer


async def test_an_event_is_created_with_what_was_sent(writer: Writer, tenant: Tenant) -> None:
    marked = {"singleValueExtendedProperties": [{"id": MARK, "value": "6f0c"}]}
    answer = await writer.book(showAs="oof", isReminderOn=False, transactionId="t", **marked)
    assert answer.status == 201
    assert answer.json["@odata.etag"]
    (meeting,) = tenant.meetings("boardroom")
    assert (meeting.id, meeting.start, meeting.end) == (answer.json["id"], at(10), at(11))
    assert (meeting.subject, meeting.show_as, meeting.reminder) == ("X", "oof", False)
    expand = f"&$expand=singleValueExtendedProperties($filter=id eq '{MARK}')".replace(" ", "%20")
    (event,) = (await writer.view("boardroom@contoso.example", expand)).json["value"]
    assert event["singleValueExtendedProperties"] == [{"id": MARK, "value": "6f0c"}]
    assert (event["isOrganizer"], event["attendees"], event["transactionId"]) == (True, [], "t")


async def test_an_event_of_the_rooms_own_may_overlap(writer: Writer, tenant: Tenant) -> None:
    tenant.book("boardroom", at(10), at(11))
    assert (await writer.book()).status == 201
    assert len(tenant.meetings("boardroom")) == 2


async def test_attendees_are_invited(writer: Writer, tenant: Tenant) -> None:
    await writer.book(attendees=[{"emailAddress": {"address": "ada@contoso.example"}}])
    assert [message.kind for message in tenant.messages] == ["invited"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": moment(9)},
        {"start": None},
        {"start": {"dateTime": "yesterday", "timeZone": "UTC"}},
        {"start": {"dateTime": "2026-10-06T10:00:00", "timeZone": "Nowhere"}},
        {"start": {"dateTime": "2026-10-06T10:00:00Z", "timeZone": "UTC"}},
        {"showAs": "asleep"},
    ],
)
async def test_what_is_no_event_is_refused(writer: Writer, tenant: Tenant, wrong: dict[str, object]) -> None:
    assert (await writer.book(**wrong)).status == 400
    assert tenant.meetings("boardroom") == []


@pytest.mark.parametrize("known", [400, 409, 201])
async def test_a_transaction_is_done_once_whatever_the_answer(
    writer: Writer, tenant: Tenant, known: Any
) -> None:
    tenant.undocumented.known_transaction = known
    first = await writer.book(transactionId="t")
    again = await writer.book(transactionId="t")
    assert again.status == known
    if known == 201:
        assert again.json["id"] == first.json["id"]
    else:
        assert again.code == "ErrorDuplicateTransactionId"
    assert len(tenant.meetings("boardroom")) == 1
    assert (await writer.book(transactionId="u")).status == 201


async def test_an_attendees_change_is_of_its_own_copy_until_the_organizer_saves(
    writer: Writer, tenant: Tenant
) -> None:
    meeting = tenant.book("boardroom", at(7), at(9))
    assert (await writer.change("PATCH", f"/{meeting}", {"end": moment(8)})).status == 200
    assert tenant.meeting(meeting).end == at(8)
    tenant.update_by_organizer(meeting)
    assert tenant.meeting(meeting).end == at(9)
    tenant.move(meeting, at(8), at(10))
    tenant.update_by_organizer(meeting)
    assert (tenant.meeting(meeting).start, tenant.meeting(meeting).end) == (at(8), at(10))


async def test_an_attendees_change_is_refused(writer: Writer, tenant: Tenant) -> None:
    tenant.undocumented.attendee_patch = "refused"
    meeting = tenant.book("boardroom", at(7), at(9))
    answer = await writer.change("PATCH", f"/{meeting}", {"end": moment(8)})
    assert (answer.status, answer.code) == (400, "ErrorInvalidPropertySet")
    own = (await writer.book()).json["id"]
    assert (await writer.change("PATCH", f"/{own}", {"end": moment(10, 30)})).status == 200


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", "")])
async def test_a_version_that_is_not_current_is_refused(
    writer: Writer, tenant: Tenant, method: str, path: str
) -> None:
    meeting = tenant.book("boardroom", at(7), at(9))
    (event,) = (await writer.view("boardroom@contoso.example")).json["value"]
    etag = {"If-Match": event["@odata.etag"]}
    tenant.move(meeting, at(7), at(10))
    stale = await writer.change(method, f"/{meeting}{path}", {"end": moment(8)}, **etag)
    assert (stale.status, stale.code) == (412, "ErrorIrresolvableConflict")
    assert tenant.meeting(meeting).end == at(10)
    (event,) = (await writer.view("boardroom@contoso.example")).json["value"]
    etag = {"If-Match": event["@odata.etag"]}
    assert (await writer.change(method, f"/{meeting}{path}", {"end": moment(8)}, **etag)).status in (200, 204)


@pytest.mark.parametrize(("answer", "kinds"), [("silent", []), ("declines", ["declined"])])
async def test_an_attendees_copy_is_deleted_with_or_without_a_message(
    writer: Writer, tenant: Tenant, answer: Any, kinds: list[str]
) -> None:
    tenant.undocumented.attendee_delete = answer
    meeting = tenant.book("boardroom", at(7), at(9))
    assert (await writer.change("DELETE", f"/{meeting}")).status == 204
    assert tenant.meetings("boardroom") == []
    assert [message.kind for message in tenant.messages] == kinds


async def test_an_organizers_deletion_is_a_cancellation(writer: Writer, tenant: Tenant) -> None:
    own = (await writer.book()).json["id"]
    assert (await writer.change("DELETE", f"/{own}")).status == 204
    assert [message.kind for message in tenant.messages] == ["cancelled"]


@pytest.mark.parametrize(("send", "kinds"), [(True, ["declined"]), (False, [])])
async def test_a_room_declines(writer: Writer, tenant: Tenant, *, send: bool, kinds: list[str]) -> None:
    meeting = tenant.book("boardroom", at(7), at(9))
    body = {"comment": "Nobody came", "sendResponse": send}
    assert (await writer.change("POST", f"/{meeting}/decline", body)).status == 202
    assert tenant.meetings("boardroom") == []
    assert [message.kind for message in tenant.messages] == kinds


async def test_only_the_organizer_cancels_and_only_others_decline(writer: Writer, tenant: Tenant) -> None:
    meeting = tenant.book("boardroom", at(7), at(9))
    refused = await writer.change("POST", f"/{meeting}/cancel", {"comment": ""})
    assert (refused.status, "organizer" in refused.json["error"]["message"]) == (400, True)
    own = (await writer.book()).json["id"]
    assert (await writer.change("POST", f"/{own}/decline", {})).status == 400
    assert (await writer.change("POST", f"/{own}/cancel", {"comment": "x"})).status == 202
    assert len(tenant.meetings("boardroom")) == 1


async def test_an_occurrence_is_changed_without_its_series(writer: Writer, tenant: Tenant) -> None:
    first, *others = tenant.book_series("boardroom", at(7), at(9), count=3)
    await writer.change("PATCH", f"/{first}", {"end": moment(8)})
    assert [tenant.meeting(one).end.hour for one in (first, *others)] == [8, 9, 9]
    (event,) = (await writer.view("boardroom@contoso.example")).json["value"]
    assert event["type"] == "exception"


async def test_the_id_of_a_series_means_all_of_it(writer: Writer, tenant: Tenant) -> None:
    first, *_ = tenant.book_series("boardroom", at(7), at(9), count=3)
    series = tenant.meeting(first).series
    assert (await writer.change("DELETE", f"/{series}")).status == 204
    assert tenant.meetings("boardroom") == []


async def test_an_event_of_another_mailbox_is_not_found(writer: Writer, tenant: Tenant) -> None:
    meeting = tenant.book("library", at(7), at(9))
    answer = await writer.change("DELETE", f"/{meeting}")
    assert (answer.status, answer.code) == (404, "ErrorItemNotFound")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/x"), ("GET", "/x"), ("PATCH", ""), ("GET", "/x/decline")]
)
async def test_another_method_is_refused(writer: Writer, method: str, path: str) -> None:
    assert (await writer.change(method, path)).status == 405


async def test_reading_is_not_writing(writer: Writer, tenant: Tenant, app: App) -> None:
    for role in ("Calendars.Read", "Calendars.ReadBasic.All", "Place.Read.All"):
        tenant.revoke(app, *app.granted(tenant.now()))
        tenant.grant(app, role)
        await writer.log_in()
        assert (await writer.book()).status == 403
    tenant.revoke(app, "Place.Read.All")
    tenant.assign_rbac(app, "placed-rooms", role=READ)
    assert (await writer.book()).status == 403
    tenant.assign_rbac(app, "placed-rooms", role=READ_WRITE)
    assert (await writer.book()).status == 201


@pytest.mark.parametrize("fence", ["policy", "rbac"])
async def test_nothing_outside_of_the_fence_is_changed(
    writer: Writer, tenant: Tenant, app: App, fence: str
) -> None:
    tenant.add_group("writable", members=["library"])
    if fence == "policy":
        tenant.restrict(app, "writable")
    else:
        tenant.revoke(app, "Calendars.ReadWrite")
        tenant.assign_rbac(app, "writable", role=READ_WRITE)
    meeting = tenant.book("boardroom", at(7), at(9))
    tries = [
        await writer.book(),
        await writer.change("PATCH", f"/{meeting}", {"end": moment(8)}),
        await writer.change("DELETE", f"/{meeting}"),
        await writer.change("POST", f"/{meeting}/decline", {}),
    ]
    assert [(answer.status, answer.code) for answer in tries] == [(403, "ErrorAccessDenied")] * 4
    assert len(tenant.meetings("boardroom")) == 1


async def test_a_change_shows_in_readings_as_late_as_is_set(
    writer: Writer, tenant: Tenant, clock: Clock
) -> None:
    async def seen() -> list[str]:
        events = (await writer.view("boardroom@contoso.example")).json["value"]
        return [event["end"]["dateTime"][11:16] for event in events]

    tenant.undocumented.visible_after = timedelta(seconds=5)
    own = (await writer.book()).json["id"]
    await writer.change("PATCH", f"/{own}", {"end": moment(10, 30)})
    assert await seen() == []
    clock.advance(seconds=5)
    assert await seen() == ["10:30"]
    await writer.change("PATCH", f"/{own}", {"end": moment(10, 15)})
    clock.advance(seconds=1)
    await writer.change("DELETE", f"/{own}")
    assert await seen() == ["10:30"]
    clock.advance(seconds=4)
    assert await seen() == ["10:15"]
    clock.advance(seconds=1)
    assert await seen() == []
    await writer.book()
    assert await seen() == []
    clock.advance(hours=-1)  # nothing is hidden for longer by a clock that is set back
    assert len(await seen()) == 1


async def test_a_change_can_be_refused_and_its_answer_lost(writer: Writer, tenant: Tenant) -> None:
    tenant.faults.status(412, code="ErrorIrresolvableConflict", where=Where.WRITE, times=1)
    assert (await writer.book()).status == 412
    tenant.faults.throttled(where=Where.WRITE, times=1)
    assert (await writer.book()).headers["Retry-After"] == "2.128"
    assert tenant.meetings("boardroom") == []
    tenant.faults.lost_answer(status=504, times=1)
    assert (await writer.book()).status == 504
    assert len(tenant.meetings("boardroom")) == 1
    assert (await writer.view("boardroom@contoso.example")).status == 200


async def test_a_fault_of_another_room_does_not_hit(writer: Writer, tenant: Tenant) -> None:
    tenant.faults.status(503, room="library", where=Where.WRITE)
    tenant.faults.status(503, room="boardroom")  # of readings
    assert (await writer.book()).status == 201


async def test_a_late_answer_is_of_a_change_that_is_done(
    writer: Writer, tenant: Tenant, held_sleep: HeldSleep
) -> None:
    tenant.faults.delay(60, where=Where.WRITE)
    await held_sleep.let_go()
    assert (await writer.book()).status == 201
    assert held_sleep.lengths == [60]
