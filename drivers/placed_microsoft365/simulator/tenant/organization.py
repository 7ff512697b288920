"""Who and what a tenant consists of: rooms, people, groups, room lists."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.tenant.groups import Group, Membership
from placed_microsoft365.simulator.tenant.mailboxes import (
    CalendarProcessing,
    Mailbox,
    MailboxState,
    SimRoom,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NO_DELAY = timedelta(0)


def wall_clock() -> datetime:
    """The machine's clock, aware UTC."""
    return datetime.now(UTC)


class Organization:
    """The directory of a tenant, in memory.

    A mailbox or group may be named by its local part, its address, its id, or by the value that `add_…` gave
    back.
    """

    def __init__(self, domain: str, now: Callable[[], datetime]) -> None:
        self.domain = domain.lower()
        self.now = now
        self.tenant_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, self.domain))
        self.mailboxes: dict[str, Mailbox] = {}
        self.groups: dict[str, Group] = {}
        self._mailboxes_by_name: dict[str, Mailbox] = {}
        self._numbers = 0

    def next_number(self) -> int:
        """The next whole number, from 1."""
        self._numbers += 1
        return self._numbers

    def new_id(self, purpose: str) -> str:
        """A GUID that no other object has; the same run gives the same ones."""
        return str(
            uuid.uuid5(uuid.NAMESPACE_URL, f"{purpose}:{self.domain}:{self.tenant_id}:{self.next_number()}")
        )

    def address(self, name: str | SimRoom | Group) -> str:
        """The address that the name stands for, in lower case."""
        if not isinstance(name, str):
            return name.address.lower()
        lowered = name.lower()
        if lowered in self._mailboxes_by_name:
            return self._mailboxes_by_name[lowered].address
        return lowered if "@" in lowered else f"{lowered}@{self.domain}"

    def find_mailbox(self, name: str) -> Mailbox | None:
        """By id, user principal name or address, as Graph finds it."""
        lowered = name.lower()
        return self._mailboxes_by_name.get(lowered) or self.mailboxes.get(lowered)

    def mailbox(self, name: str | SimRoom) -> Mailbox:
        """The mailbox of that name.

        Raises:
            LookupError: there is none.
        """
        try:
            return self.mailboxes[self.address(name)]
        except KeyError:
            raise LookupError(f"no mailbox {name!r} in {self.domain}") from None

    def rooms(self) -> list[SimRoom]:
        """All rooms, in the order in which they were added."""
        return [mailbox.room for mailbox in self.mailboxes.values() if mailbox.room is not None]

    def add_room(  # noqa: PLR0913 - a room of the places directory has this many fields
        self,
        name_or_address: str,
        *,
        name: str | None = None,
        building: str | None = None,
        floor: int | None = None,
        capacity: int | None = None,
        upn: str | None = None,
        processing: CalendarProcessing | None = None,
        state: MailboxState = MailboxState.ACTIVE,
    ) -> SimRoom:
        """A room mailbox with Exchange's default calendar processing, unless another is given.

        `upn` is the user principal name where that is not the address.
        """
        address = self.address(name_or_address)
        user_id = self.new_id("user")
        display = name if name is not None else address.partition("@")[0].title()
        room = SimRoom(
            address=address,
            user_id=user_id,
            name=display,
            building=building,
            floor=floor,
            capacity=capacity,
        )
        self._add_mailbox(
            Mailbox(
                address=address,
                user_id=user_id,
                name=display,
                upn=upn.lower() if upn is not None else address,
                room=room,
                state=state,
                processing=processing if processing is not None else CalendarProcessing(),
            )
        )
        return room

    def add_person(self, name_or_address: str, *, name: str | None = None) -> Mailbox:
        """Somebody's mailbox: what a fence has to keep out."""
        address = self.address(name_or_address)
        display = name if name is not None else address.partition("@")[0].title()
        return self._add_mailbox(
            Mailbox(address=address, user_id=self.new_id("user"), name=display, upn=address)
        )

    def remove_room(self, name: str | SimRoom) -> None:
        """The mailbox is gone, also from all groups: `ErrorInvalidUser` from now on."""
        mailbox = self.mailbox(name)
        address = mailbox.address
        del self.mailboxes[address]
        for key in (mailbox.user_id, mailbox.upn):
            del self._mailboxes_by_name[key]
        for group in self.groups.values():
            group.memberships.pop(address, None)

    def change_address(self, name: str | SimRoom, address: str) -> SimRoom:
        """The room has another address, and user principal name, from now on; its id and calendar stay.

        Raises:
            LookupError: there is no such room.
            ValueError: another mailbox or group has the address.
        """
        mailbox = self.mailbox(name)
        room, before, after = mailbox.room, mailbox.address, self.address(address)
        if room is None:
            raise LookupError(f"{before} is no room")
        if after != before and (after in self.mailboxes or after in self.groups):
            raise ValueError(f"{after} is there already")
        del self._mailboxes_by_name[mailbox.upn]
        mailbox.address = mailbox.upn = after
        mailbox.room = room = replace(room, address=after)
        self.mailboxes = {one.address: one for one in self.mailboxes.values()}
        self._mailboxes_by_name[after] = mailbox
        for group in self.groups.values():
            group.rename(before, after)
        return room

    def remove_person(self, name: str) -> None:
        """The mailbox is gone, as that of a room would be.

        Raises:
            LookupError: there is none, or it is a room's.
        """
        if self.mailbox(name).room is not None:
            raise LookupError(f"{self.address(name)} is a room")
        self.remove_room(name)

    def set_processing(self, name: str | SimRoom, processing: CalendarProcessing) -> None:
        """How the room treats what is booked from now on."""
        self.mailbox(name).processing = processing

    def set_state(self, name: str | SimRoom, state: MailboxState) -> None:
        """Let Graph find the mailbox, or not."""
        self.mailbox(name).state = state

    def add_group(
        self,
        name_or_address: str,
        *,
        members: Iterable[str | SimRoom | Group] = (),
        name: str | None = None,
        room_list: bool = False,
    ) -> Group:
        """A mail-enabled security group; its members are mailboxes or other groups that exist already.

        Raises:
            LookupError: a member does not exist.
            ValueError: there is a group or a mailbox of that address.
        """
        address = self.address(name_or_address)
        if address in self.groups or address in self.mailboxes:
            raise ValueError(f"{address} is there already")
        members = list(members)
        for member in members:
            self._member(member)
        display = name if name is not None else address.partition("@")[0]
        group = Group(address=address, group_id=self.new_id("group"), name=display, room_list=room_list)
        self.groups[address] = group
        for member in members:
            self.add_member(group, member)
        return group

    def add_room_list(
        self, name_or_address: str, *, rooms: Iterable[str | SimRoom] = (), name: str | None = None
    ) -> Group:
        """A room list: a distribution group of rooms, which no access policy takes as its scope."""
        return self.add_group(name_or_address, members=rooms, name=name, room_list=True)

    def group(self, name: str | Group) -> Group:
        """The group of that name.

        Raises:
            LookupError: there is none.
        """
        try:
            return self.groups[self.address(name)]
        except KeyError:
            raise LookupError(f"no group {name!r} in {self.domain}") from None

    def remove_group(self, name: str | Group) -> None:
        """The group is gone; a fence that refers to it covers nobody from now on.

        Raises:
            LookupError: there is none.
        """
        address = self.group(name).address
        del self.groups[address]
        for group in self.groups.values():
            group.memberships.pop(address, None)
            group.subgroups.discard(address)

    def add_member(
        self, group: str | Group, member: str | SimRoom | Group, *, delay: timedelta = NO_DELAY
    ) -> None:
        """Add to a group: the directory shows it at once, a policy on the group sees it after the delay."""
        target = self.group(group)
        key = self._member(member)
        if key in self.groups:
            target.subgroups.add(key)
        target.memberships[key] = Membership(key, counts_from=self.now() + delay if delay else None)

    def remove_member(
        self, group: str | Group, member: str | SimRoom | Group, *, delay: timedelta = NO_DELAY
    ) -> None:
        """Take out of a group: gone from the directory at once, from a policy's view after the delay.

        Raises:
            LookupError: it is not in the group.
        """
        target = self.group(group)
        key = self.address(member)
        if key not in target.memberships:
            raise LookupError(f"no member {member!r} in {target.address}")
        before = target.memberships[key]
        if delay:
            target.memberships[key] = Membership(key, before.counts_from, self.now() + delay)
            return
        del target.memberships[key]
        target.subgroups.discard(key)

    def _member(self, name: str | SimRoom | Group) -> str:
        """The address of a mailbox or of a group."""
        key = self.address(name)
        if key not in self.groups and key not in self.mailboxes:
            raise LookupError(f"no mailbox or group {name!r} in {self.domain}")
        return key

    def _add_mailbox(self, mailbox: Mailbox) -> Mailbox:
        if mailbox.address in self.mailboxes:
            raise ValueError(f"{mailbox.address} is there already")
        self.mailboxes[mailbox.address] = mailbox
        for key in (mailbox.user_id, mailbox.upn):
            self._mailboxes_by_name[key] = mailbox
        return mailbox
