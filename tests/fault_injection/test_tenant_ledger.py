"""What a recording tenant knows of itself: whether a fence can be proven, and texts of what is booked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.fault_injection.daemon_settings import CANARY
from tests.fault_injection.secrecy_oracle import HIDDEN_ORGANIZER, HIDDEN_TITLE
from tests.fault_injection.tenant_ledger import RecordingTenant

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_a_fence_can_be_proven_only_if_a_room_is_readable_and_the_canary_is_not() -> None:
    tenant = RecordingTenant(now=lambda: NOW)
    tenant.add_room("room")
    tenant.add_person("ada")
    tenant.add_group("rooms", members=["room"])
    app = tenant.register_app(secrets=["secret"])
    assert not tenant.fences(app, CANARY, ["room"])  # nothing is readable
    tenant.grant(app, "Calendars.Read")
    assert not tenant.fences(app, CANARY, ["room"])  # everything is
    tenant.restrict(app, "rooms")
    assert tenant.fences(app, CANARY, ["room"])
    tenant.remove_member("rooms", "room")
    assert not tenant.fences(app, CANARY, ["room"])


def test_what_people_book_has_a_hidden_title_and_a_private_meeting_a_hidden_organizer() -> None:
    tenant = RecordingTenant(now=lambda: NOW)
    tenant.add_person("ada")
    hour = timedelta(hours=1)
    public = tenant.meeting(tenant.book("ada", NOW, NOW + hour, organizer="Bo Example"))
    private = tenant.meeting(tenant.book("ada", NOW, NOW + hour, sensitivity="private"))
    assert (public.subject, public.organizer) == (HIDDEN_TITLE, "Bo Example")
    assert (private.subject, private.organizer) == (HIDDEN_TITLE, HIDDEN_ORGANIZER)
