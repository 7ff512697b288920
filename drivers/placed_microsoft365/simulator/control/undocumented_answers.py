"""What applications do to events: where the documentation is silent, and the messages that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from placed_microsoft365.simulator.control.control_request import length_of

if TYPE_CHECKING:
    from placed_microsoft365.simulator.control.control_request import Call


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the service behaves from now on; what is left out stays."""

    attendee_patch: Literal["own_copy", "refused"] | None = None
    attendee_delete: Literal["silent", "declines"] | None = None
    known_transaction: Literal[400, 409, 201] | None = None
    visible_after: str | None = None


class AnswersState(msgspec.Struct, frozen=True):
    """The same as it is set."""

    attendee_patch: str
    attendee_delete: str
    known_transaction: int
    visible_after_seconds: float


def undocumented(call: Call) -> object:
    """What is asked of the answers that nobody documents."""
    current = call.tenant.undocumented
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            new = call.read(Answers)
            if new.visible_after is not None:
                current.visible_after = length_of(new.visible_after)
            current.attendee_patch = new.attendee_patch or current.attendee_patch
            current.attendee_delete = new.attendee_delete or current.attendee_delete
            current.known_transaction = new.known_transaction or current.known_transaction
        case _:
            raise call.unknown
    return AnswersState(
        current.attendee_patch,
        current.attendee_delete,
        current.known_transaction,
        current.visible_after.total_seconds(),
    )


def messages(call: Call) -> object:
    """What was sent to organizers and attendees because of changes."""
    match call.key():
        case ("GET",):
            return call.tenant.messages
        case ("DELETE",):
            call.tenant.messages.clear()
            return None
        case _:
            raise call.unknown
