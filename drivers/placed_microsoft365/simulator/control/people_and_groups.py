"""People and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.control.control_request import Delay, length_of

if TYPE_CHECKING:
    from placed_microsoft365.simulator.control.control_request import Call
    from placed_microsoft365.simulator.tenant.groups import Group
    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox


class NewPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who gets a mailbox."""

    person: str
    name: str | None = None


class PersonState(msgspec.Struct, frozen=True):
    """A person as they are listed."""

    address: str
    user_id: str
    name: str


class NewGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail-enabled security group to add, or a room list."""

    group: str
    name: str | None = None
    members: tuple[str, ...] = ()
    room_list: bool = False


class NewMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is added to a group; a fence on it sees that after the delay."""

    member: str
    delay: str | None = None


class GroupState(msgspec.Struct, frozen=True):
    """A group as it is listed, with the addresses of its direct members."""

    address: str
    group_id: str
    name: str
    room_list: bool
    members: list[str]


def people(call: Call) -> object:
    """What is asked of people."""
    tenant = call.tenant
    match call.key():
        case ("GET",):
            return [_person(mailbox) for mailbox in tenant.mailboxes.values() if mailbox.room is None]
        case ("POST",):
            new = call.read(NewPerson)
            return _person(tenant.add_person(new.person, name=new.name))
        case ("DELETE", person):
            tenant.remove_person(person)
            return None
        case _:
            raise call.unknown


def groups(call: Call) -> object:
    """What is asked of groups."""
    tenant = call.tenant
    match call.key():
        case ("GET",):
            return [_group(group) for group in tenant.groups.values()]
        case ("POST",):
            new = call.read(NewGroup)
            return _group(
                tenant.add_group(new.group, members=new.members, name=new.name, room_list=new.room_list)
            )
        case ("DELETE", group):
            tenant.remove_group(group)
            return None
        case ("POST", group, "members"):
            added = call.read(NewMember)
            tenant.add_member(group, added.member, delay=length_of(added.delay))
        case ("DELETE", group, "members", member):
            tenant.remove_member(group, member, delay=length_of(call.read(Delay).delay))
        case _:
            raise call.unknown
    return _group(tenant.group(group))


def _person(mailbox: Mailbox) -> PersonState:
    return PersonState(mailbox.address, mailbox.user_id, mailbox.name)


def _group(group: Group) -> GroupState:
    return GroupState(group.address, group.group_id, group.name, group.room_list, group.listed())
