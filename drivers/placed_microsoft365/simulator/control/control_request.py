"""One call of the control interface, and delays in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.tenant.organization import NO_DELAY
from placed_microsoft365.simulator.tenant.tenant import Tenant
from placed_simulator.control_call import ControlCall
from placed_simulator.relative_time import parse_length

if TYPE_CHECKING:
    from datetime import timedelta

Call = ControlCall[Tenant]
"""A call that plays a tenant."""


class Delay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long something takes to be in effect."""

    delay: str | None = None


def length_of(delay: str | None) -> timedelta:
    """A delay as it is written; none at all without."""
    return NO_DELAY if delay is None else parse_length(delay)
