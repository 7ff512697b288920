"""Faults that can be switched on and off, each for a number of requests or until it is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection
    from enum import StrEnum


class SwitchableFault(Protocol):
    """What a fault has, whatever goes wrong."""

    @property
    def kind(self) -> StrEnum:
        """What goes wrong."""
        ...

    @property
    def where(self) -> StrEnum:
        """Which part of the services it is in."""
        ...

    @property
    def room(self) -> str | None:
        """The room that it hits; None hits all."""
        ...

    @property
    def times(self) -> int | None:
        """How many requests it hits before it is over; None is until it is removed."""
        ...


F = TypeVar("F", bound=SwitchableFault)


@dataclass(slots=True)
class _Switch(Generic[F]):
    fault: F
    left: int | None


class FaultSwitches(Generic[F]):
    """The faults that are switched on.

    Everywhere `room` is an address, or None for all rooms, and `times` the number of requests hit, or None
    for all until `remove(fault)` or `clear()`.
    """

    def __init__(self) -> None:
        self._switches: list[_Switch[F]] = []

    def add(self, fault: F) -> F:
        """Switch a fault on."""
        self._switches.append(_Switch(fault, fault.times))
        return fault

    def remove(self, fault: F) -> None:
        """Switch a fault off that `add` gave back; nothing happens if it is over already."""
        self._switches = [switch for switch in self._switches if switch.fault != fault]

    def clear(self) -> None:
        """Switch everything off."""
        self._switches = []

    def active(self) -> tuple[F, ...]:
        """What is switched on."""
        return tuple(switch.fault for switch in self._switches)

    def any(self, kind: StrEnum, where: StrEnum) -> bool:
        """Whether a fault of the kind is on there, for whichever room; none is used up."""
        return any(s.fault.kind is kind and s.fault.where is where for s in self._switches)

    def take(
        self,
        kinds: Collection[StrEnum],
        where: Collection[StrEnum],
        room: str | None = None,
        *,
        exact: bool = False,
    ) -> F | None:
        """The first fault that hits; one of its times is used up. `exact` passes over those for all rooms."""
        for switch in self._switches:
            fault = switch.fault
            hits = fault.room == room or (fault.room is None and not exact)
            if hits and fault.kind in kinds and fault.where in where:
                self._use(switch)
                return fault
        return None

    def take_one(self, fault: F) -> bool:
        """Uses up one of the times of a fault that is switched on; whether it was."""
        for switch in self._switches:
            if switch.fault == fault:
                self._use(switch)
                return True
        return False

    def _use(self, switch: _Switch[F]) -> None:
        if switch.left is not None:
            switch.left -= 1
            if not switch.left:
                self._switches.remove(switch)
