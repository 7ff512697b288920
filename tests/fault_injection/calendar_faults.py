"""Calendars that are described oddly, canaries that are refused by others, and rights that come later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_microsoft365.simulator.faults.fault import ODD_EVENTS
from tests.fault_injection.daemon_settings import CANARY
from tests.fault_injection.fault_catalogue import fault, last

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World


@fault("calendar.is_written_oddly", gentle=True)
async def is_written_oddly(world: World, chance: random.Random, seconds: float) -> None:
    """Every event means what it did: no room may change by it."""
    room = chance.choice((None, *world.all_rooms))
    await last(
        world.tenant.faults, seconds, world.tenant.faults.odd_events(chance.choice(ODD_EVENTS), room=room)
    )


@fault("canary.is_refused_by_another", "the canary", gentle=True)
async def canary_is_refused_by_another(world: World, chance: random.Random, seconds: float) -> None:
    """By a proxy's page, by a code that is no proof, or since it does not exist."""
    faults = world.tenant.faults
    if chance.random() < 1 / 3:
        wrong = faults.html(status=403, room=CANARY)
    else:
        status, code = chance.choice(((403, "accessDenied"), (403, ""), (404, "ErrorInvalidUser")))
        wrong = faults.status(status, code=code, room=CANARY)
    await last(world.tenant.faults, seconds, wrong)


@fault("permission.appears_later", "registration", "the canary", longest=10.0)
async def permission_appears_later(world: World, chance: random.Random, seconds: float) -> None:
    """Everything is refused, the canary too, and then what the fence allows is readable."""
    rooms = chance.choice((world.group_rooms, world.listed_rooms))
    async with world.unreadable(*rooms):
        wrong = [world.tenant.faults.forbidden(room=room) for room in (*rooms, CANARY)]
        await last(world.tenant.faults, seconds, *wrong)
