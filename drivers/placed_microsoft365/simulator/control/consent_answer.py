"""What happens when an administrator is sent to the consent page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.control.control_request import length_of
from placed_microsoft365.simulator.tenant.tenant import ConsentAnswer

if TYPE_CHECKING:
    from placed_microsoft365.simulator.control.control_request import Call


class AtThePage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the administrator does there, and how long a consent takes to be in effect."""

    answer: ConsentAnswer | None = None
    delay: str | None = None


class PageState(msgspec.Struct, frozen=True):
    """The same as it is set."""

    answer: ConsentAnswer
    delay_seconds: float


def answer(call: Call) -> object:
    """What is asked of the consent page; what is left out of a change stays."""
    tenant = call.tenant
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            new = call.read(AtThePage)
            delay = tenant.consent_delay if new.delay is None else length_of(new.delay)
            tenant.consent_answer = new.answer or tenant.consent_answer
            tenant.consent_delay = delay
        case _:
            raise call.unknown
    return PageState(tenant.consent_answer, tenant.consent_delay.total_seconds())
