"""Random changes in a tenant's building."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed_simulator import building_life
from placed_simulator.building_life import Slot, quiet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.tenant import Tenant


async def life(
    tenant: Tenant,
    *,
    seed: int = 1,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    report: Callable[[str], None] = quiet,
    apart: Collection[str] = (),
) -> None:
    """Makes one change after another until it is cancelled; see `placed_simulator.building_life`.

    Nothing happens in the rooms whose addresses are in `apart`.
    """
    await building_life.life(TenantBuilding(tenant, apart), seed=seed, sleep=sleep, report=report)


class TenantBuilding:
    """What people do in the rooms of a tenant."""

    def __init__(self, tenant: Tenant, apart: Collection[str] = ()) -> None:
        self._tenant = tenant
        self._apart = frozenset(apart)
        self.now = tenant.now
        self.move = tenant.move
        self.cancel = tenant.cancel
        self.delete = tenant.delete

    def rooms(self) -> list[tuple[str, str]]:
        """Addresses and names."""
        return [(room.address, room.name) for room in self._tenant.rooms() if room.address not in self._apart]

    def slots(self, room: str) -> list[Slot]:
        """What is on the room's calendar, by start."""
        return [
            Slot(
                meeting.id,
                meeting.start,
                meeting.end,
                meeting.all_day,
                not (meeting.cancelled or meeting.show_as == "free") and meeting.response != "declined",
            )
            for meeting in self._tenant.meetings(room)
        ]

    def book(self, room: str, start: datetime, end: datetime, *, subject: str, organizer: str) -> None:
        """Somebody books the room."""
        self._tenant.book(room, start, end, subject=subject, organizer=organizer)
