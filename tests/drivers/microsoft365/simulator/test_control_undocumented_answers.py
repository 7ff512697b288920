"""Playing what is not documented of changes of events, and reading the messages that they cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.drivers.microsoft365.driver_setup import at

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.simulator_client import Client

USUAL: dict[str, Any] = {
    "attendee_patch": "own_copy",
    "attendee_delete": "silent",
    "known_transaction": 409,
    "visible_after_seconds": 0.0,
}


async def test_each_open_answer_can_be_set_and_the_others_stay(client: Client) -> None:
    assert (await client.play("GET", "undocumented")).json == USUAL
    change = {"attendee_patch": "refused", "visible_after": "5s"}
    changed = {**USUAL, "attendee_patch": "refused", "visible_after_seconds": 5.0}
    assert (await client.play("POST", "undocumented", change)).json == changed
    known = (await client.play("POST", "undocumented", {"known_transaction": 400})).json
    assert known == {**changed, "known_transaction": 400}
    assert (await client.play("POST", "undocumented", {"known_transaction": 500})).status == 400


async def test_messages_to_organizers_are_listed_and_forgotten(client: Client, tenant: Tenant) -> None:
    meeting = tenant.book("boardroom", at(8), at(9))
    tenant.decline_event(tenant.mailbox("boardroom"), meeting, comment="Nobody came", send_response=True)
    (message,) = (await client.play("GET", "messages")).json
    assert (message["kind"], message["meeting"], message["comment"]) == ("declined", meeting, "Nobody came")
    await client.play("DELETE", "messages")
    assert (await client.play("GET", "messages")).json == []


async def test_an_organizer_saves_a_meeting_again(client: Client, tenant: Tenant) -> None:
    meeting = tenant.book("boardroom", at(8), at(9))
    tenant.patch_event(tenant.mailbox("boardroom"), meeting, at(8), at(8, 10))
    assert (await client.play("POST", f"meetings/{meeting}/organizer-update")).status == 200
    assert tenant.meeting(meeting).end == at(9)
