"""The doctor's checks of the registration of actions: each broken once, and nothing written by any."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor.action_checks import examine_actions
from placed.driver import (
    CheckInSettings,
    DiagnosesActions,
    Finding,
    OffersDiagnosis,
    Surroundings,
    Verdict,
    find_drivers,
)
from placed_microsoft365.simulator.tenant.app_access import READ_WRITE
from tests.drivers.microsoft365.booking.conftest import writer_setup as _writer_setup
from tests.drivers.microsoft365.booking.writer_setup import ROOM, WriterSetup
from tests.drivers.microsoft365.driver_setup import ADA, BOARDROOM, CERTIFICATE
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from placed.domain.model import Room

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
writer_setup = _writer_setup
FENCE = {"fence": {"canaries": [ADA]}}


async def examined(
    setup: WriterSetup, rooms: tuple[Room, ...] = (ROOM,), *, ahead: float = 0, **changes: Any
) -> list[Finding]:
    clock = setup.driver_setup.clock
    surroundings = Surroundings(
        lambda: clock() + timedelta(days=ahead),
        8,
        details=False,
        version="1.2.3",
        steady=lambda: clock().timestamp(),
    )
    settings = setup.settings(**FENCE | changes)
    kind = find_drivers()["microsoft365"]
    assert isinstance(kind, OffersDiagnosis)
    diagnosis = kind.diagnosis(settings, surroundings)
    assert isinstance(diagnosis, DiagnosesActions)
    found = [*await examine_actions(settings, kind, diagnosis, surroundings, rooms)]
    assert {finding.check for finding in found} <= {"actions"}
    assert all(finding.remedy or finding.verdict is GOOD for finding in found)
    assert setup.writes == []
    return found


def worst(found: list[Finding]) -> Finding:
    return min(found, key=lambda finding: (BAD, DOUBTFUL, GOOD).index(finding.verdict))


async def test_without_errors_credential_and_fence_are_good(writer_setup: WriterSetup) -> None:
    found = await examined(writer_setup)
    assert [finding.verdict for finding in found] == [GOOD, GOOD]
    assert found[0].text == "the registration of actions signs in; allowed: book, end"
    assert "every mailbox outside of the fence is refused" in found[1].text


async def test_without_the_table_nothing_is_reported(writer_setup: WriterSetup) -> None:
    assert await examined(writer_setup, actions=None) == []


async def test_with_check_in_the_release_by_exchange_is_named(writer_setup: WriterSetup) -> None:
    found = await examined(writer_setup, check_in=CheckInSettings())
    (named,) = [finding for finding in found if "EnableAutoRelease" in finding.text]
    assert named.verdict is GOOD
    assert "auto-release.ps1" in named.text


async def test_nothing_allowed_is_doubtful(writer_setup: WriterSetup) -> None:
    actions = writer_setup.settings().actions
    assert actions is not None
    keys = {"client_id": actions.client_id, "client_secret_file": actions.client_secret_file}
    found = worst(await examined(writer_setup, actions={**keys, "allow": []}))
    assert (found.verdict, "no action is allowed" in found.text) == (DOUBTFUL, True)


async def test_a_credential_that_is_not_there_is_named_by_its_key(writer_setup: WriterSetup) -> None:
    actions = {"client_id": writer_setup.app.client_id, "certificate": "/nothing.pem"}
    (found,) = await examined(writer_setup, actions=actions)
    assert found.verdict is BAD
    assert found.text.startswith("actions.certificate: /nothing.pem cannot be read")
    assert "placed setup contoso --actions" in found.remedy


@pytest.mark.parametrize(("days", "verdict"), [(0, GOOD), (3360, DOUBTFUL), (3380, BAD)])
async def test_a_certificate_is_renewed_in_time(
    writer_setup: WriterSetup, days: float, verdict: Verdict
) -> None:
    path = writer_setup.driver_setup.folder / "contoso-actions.pem"
    write_secret(path, CERTIFICATE)
    writer_setup.app.certificates = writer_setup.driver_setup.app.certificates
    actions = {"client_id": writer_setup.app.client_id, "certificate": path, "allow": ["end"]}
    found = await examined(writer_setup, ahead=days, actions=actions)
    assert worst(found).verdict is verdict


async def test_a_sign_in_that_is_refused_is_bad(writer_setup: WriterSetup) -> None:
    writer_setup.app.disabled = True
    (found,) = await examined(writer_setup)
    assert (found.verdict, "cannot sign in" in found.text) == (BAD, True)


async def test_a_missing_grant_is_bad_and_under_rbac_it_is_no_grant_in_entra(
    writer_setup: WriterSetup,
) -> None:
    tenant, app = writer_setup.tenant, writer_setup.app
    tenant.revoke(app, "Calendars.ReadWrite")
    (found,) = await examined(writer_setup)
    assert (found.verdict, "Calendars.ReadWrite" in found.text) == (BAD, True)
    tenant.assign_rbac(app, "placed-rooms", role=READ_WRITE)
    found = worst(await examined(writer_setup, fence={"kind": "rbac", "canaries": [ADA]}))
    assert found.verdict is GOOD


async def test_a_readable_canary_is_a_breach_of_actions(writer_setup: WriterSetup) -> None:
    writer_setup.tenant.lift_restrictions(writer_setup.app)
    found = worst(await examined(writer_setup))
    assert found.verdict is BAD
    assert found.text.startswith("with the credential of actions: a mailbox outside of the fence")


async def test_more_than_is_meant_is_doubtful(writer_setup: WriterSetup) -> None:
    writer_setup.tenant.grant(writer_setup.app, "Mail.Read")
    found = worst(await examined(writer_setup))
    assert (found.verdict, "Mail.Read" in found.text) == (DOUBTFUL, True)


async def test_a_room_out_of_reach_proves_nothing(writer_setup: WriterSetup) -> None:
    writer_setup.tenant.remove_member("placed-rooms", BOARDROOM)
    assert worst(await examined(writer_setup)).verdict is DOUBTFUL
    assert worst(await examined(writer_setup, ())).verdict is DOUBTFUL


async def test_a_service_that_is_down_is_bad(writer_setup: WriterSetup) -> None:
    async with writer_setup.driver_setup.simulator.outage():
        assert worst(await examined(writer_setup)).verdict is BAD
    writer_setup.tenant.faults.status(503)
    found = worst(await examined(writer_setup))
    assert (found.verdict, "was not tried" in found.text) == (BAD, True)
