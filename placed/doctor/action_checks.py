"""Checks what a connection needs for actions: the driver's own checks, and the fence of its writer.

Nothing is written. The canaries are tried with the credential that writes, which has a fence of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.doctor.fence_checks import judge_fence
from placed.driver import (
    DiagnosesActions,
    DriverError,
    FenceState,
    Finding,
    OffersBooking,
    SettingsError,
    Verdict,
)
from placed.driver.shared_findings import AGAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.domain.model import Room
    from placed.driver import ConnectionSettings, Diagnosis, DriverKind, Surroundings

_CHECK = "actions"
_TRYING = 120.0  # seconds for all of it


async def examine_actions(
    connection: ConnectionSettings,
    kind: DriverKind,
    diagnosis: Diagnosis | None,
    surroundings: Surroundings,
    rooms: Sequence[Room],
) -> Sequence[Finding]:
    """Returns the findings `actions`; none for a connection that writes nothing."""
    if connection.writes is None:
        return ()
    if not isinstance(kind, OffersBooking):
        text = f"the driver {connection.driver} cannot change bookings"
        return [Finding.of(_CHECK, Verdict.BAD, text, "remove the table actions")]
    findings: Sequence[Finding] = ()
    try:
        async with asyncio.timeout(_TRYING):
            if isinstance(diagnosis, DiagnosesActions):
                findings = await diagnosis.look_at_actions()
            if any(finding.verdict is Verdict.BAD for finding in findings):
                return findings
            return [*findings, *await _try_fence(connection, kind, surroundings, rooms)]
    except TimeoutError:
        return [*findings, Finding.of(_CHECK, Verdict.BAD, f"no answer within {_TRYING:.0f} s", AGAIN)]


async def _try_fence(
    connection: ConnectionSettings, kind: OffersBooking, surroundings: Surroundings, rooms: Sequence[Room]
) -> Sequence[Finding]:
    try:
        writer = kind.open_writer(connection, surroundings)
    except SettingsError as error:
        return [Finding.of(_CHECK, Verdict.BAD, error.problem.statement, error.problem.remedy or AGAIN)]
    try:
        fence = await writer.try_fence(rooms)
    except DriverError as error:
        text = f"the fence of actions was not tried: {error}"
        return [Finding.of(_CHECK, Verdict.BAD, text, error.problem.remedy or AGAIN)]
    finally:
        await writer.close()
    if fence.state is FenceState.VERIFIED and not fence.warnings:
        text = "a room is in reach of actions, and every mailbox outside of the fence is refused"
        return [Finding.of(_CHECK, Verdict.GOOD, text)]
    return [_of_actions(finding) for finding in judge_fence(fence)]


def _of_actions(finding: Finding) -> Finding:
    problem = finding.problem
    text = f"with the credential of actions: {problem.text}"
    return Finding.of(_CHECK, finding.verdict, text, problem.remedy, key=problem.key)
