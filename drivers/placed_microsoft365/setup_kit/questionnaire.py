"""The questions for a kit, and the check of their answers.

The rules are those of the settings, and stricter if an answer goes into a script: mail addresses and ids are
plain ASCII, without characters that Exchange Online never uses in them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from placed.driver import KitError, Problem, Question
from placed_microsoft365.auth.application_permissions import (
    CALENDARS_READ,
    CALENDARS_WRITE,
    RBAC,
    to_consent,
    to_consent_for_actions,
)
from placed_microsoft365.clouds import Cloud
from placed_microsoft365.settings import ALL_ROOMS, Microsoft365Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_QUESTIONS = (
    Question("tenant", "The tenant's domain name, such as contoso.onmicrosoft.com, or its GUID"),
    Question("cloud", f"The cloud that it is in: {', '.join(Cloud)}", default=Cloud.WORLDWIDE.value),
    Question(
        "client_id",
        "The registration's application (client) id, if there is one already; else empty",
        default="",
    ),
    Question(
        "room_group",
        "Address of the mail-enabled security group that the rooms come from; empty if they do not",
        default="",
        instead=("rooms", "room_list"),
    ),
    Question(
        "room_list",
        "Address of the room list that they come from, * for all rooms; empty to name the rooms one by one",
        default="",
        instead=("rooms", "room_group"),
    ),
    Question(
        "rooms",
        "The rooms' mail addresses, separated by commas",
        several=True,
        instead=("room_group", "room_list"),
    ),
    Question(
        "fence.kind",
        "The fence: rbac (RBAC for Applications) or access-policy (application access policy, the legacy)",
        default=RBAC,
    ),
    Question(
        "fence.canaries",
        "Mail addresses of mailboxes outside of the fence, that placed must not be able to read, "
        "separated by commas",
        several=True,
    ),
    Question("time_zone", "The rooms' time zone, such as Europe/Berlin", default="UTC"),
)

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}")
# Without * and ?, which are legal in a mail address and wildcards to -Identity and -Filter of Exchange.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'+/=^_`{|}~.-]{1,64}")
_NOT_YET = "not-registered-yet"  # a placeholder for the client id while the settings check the answers
_RULES = {"fence.kind": "expected access-policy or rbac", "cloud": f"expected one of {', '.join(Cloud)}"}


@dataclass(frozen=True, slots=True)
class Answers:
    """Valid answers.

    Attributes:
        settings: the resulting settings; the certificate is the kit's.
        client_id: None while nothing is registered.
        group: the mail-enabled security group that is the fence: address, or object id.
        actions: whether the kit is for the registration of actions, and not for the one that reads.
    """

    settings: Microsoft365Settings
    client_id: str | None
    group: str
    actions: bool = False

    @property
    def registration(self) -> str:
        """The name of the registration, its key and its certificate."""
        return registration_name(self.settings.name, actions=self.actions)

    @property
    def permissions(self) -> tuple[str, ...]:
        """What the administrator grants to the registration in Entra."""
        return to_consent_for_actions(self.settings) if self.actions else to_consent(self.settings)

    @property
    def calendars(self) -> str:
        """The permission on calendars, whether Entra or Exchange grants it."""
        return CALENDARS_WRITE if self.actions else CALENDARS_READ


def registration_name(connection: str, *, actions: bool) -> str:
    """Returns the name of a registration: a connection has one that reads, and perhaps one of actions."""
    return f"{connection}-actions" if actions else connection


def questions() -> Sequence[Question]:
    """See `placed.driver.Setup.questions`."""
    return _QUESTIONS


def answers_of(settings: Microsoft365Settings) -> Mapping[str, str]:
    """Returns the answers that correspond to the settings."""
    found = {
        "tenant": settings.tenant,
        "cloud": settings.cloud.value,
        "client_id": settings.client_id,
        "rooms": ",".join(settings.rooms),
        "room_group": settings.room_group or "",
        "room_list": settings.room_list or "",
        "fence.kind": settings.fence.kind,
        "fence.canaries": ",".join(settings.fence.canaries),
        "time_zone": settings.time_zone.key,
    }
    return {key: answer for key, answer in found.items() if answer}


def actions_answers_of(settings: Microsoft365Settings) -> Mapping[str, str]:
    """Returns the same for the registration of actions."""
    found = {key: answer for key, answer in answers_of(settings).items() if key != "client_id"}
    return found if settings.actions is None else {**found, "client_id": settings.actions.client_id}


def understand(
    connection: str, answers: Mapping[str, str], certificate: Path, *, actions: bool = False
) -> Answers:
    """Checks the answers.

    Raises:
        KitError: with a problem for each that is invalid.
    """
    given = {question.key: question.default or "" for question in _QUESTIONS} | {
        key: answer.strip() for key, answer in answers.items()
    }
    rooms, canaries = _several(given["rooms"]), _several(given["fence.canaries"])
    problems = [*_problems(given, rooms, canaries)]
    named = {problem.key for problem in problems}
    made: Microsoft365Settings | None = None
    try:
        made = Microsoft365Settings(**_settings(connection, given, rooms, canaries, certificate))
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            key = ".".join(str(step) for step in details["loc"] if isinstance(step, str))
            if key not in named and not (key == "" and named & {"rooms", "room_group", "room_list"}):
                problems.append(Problem(key, _reason(key, details)))
                named.add(key)
    if problems or made is None:
        raise KitError(*problems)
    domain = (
        rooms or [address for address in (made.room_list,) if address != ALL_ROOMS and address]
    ) or canaries
    fallback = f"placed-{connection}-rooms@{domain[0].rpartition('@')[2]}"
    return Answers(made, given["client_id"] or None, made.room_group or fallback, actions)


def _settings(
    connection: str, given: Mapping[str, str], rooms: list[str], canaries: list[str], certificate: Path
) -> dict[str, Any]:
    return {
        "name": connection,
        "tenant": given["tenant"],
        "client_id": given["client_id"] or _NOT_YET,
        "certificate": certificate,
        "cloud": given["cloud"],
        "rooms": rooms,
        "room_group": given["room_group"] or None,
        "room_list": given["room_list"] or None,
        "time_zone": given["time_zone"],
        "fence": {"kind": given["fence.kind"], "canaries": canaries},
    }


def _problems(given: Mapping[str, str], rooms: list[str], canaries: list[str]) -> Iterator[Problem]:
    """Returns the problems of answers that the settings would accept."""
    if not (_GUID.fullmatch(given["tenant"]) or _is_domain(given["tenant"])):
        text = "expected the tenant's domain name such as contoso.onmicrosoft.com, or its GUID"
        yield Problem("tenant", text)
    if given["client_id"] and not _GUID.fullmatch(given["client_id"]):
        yield Problem("client_id", "expected the application (client) id, a GUID")
    group, room_list = given["room_group"], given["room_list"]
    if [bool(rooms), bool(group), bool(room_list)].count(True) != 1:
        yield Problem("rooms", "expected one of rooms, room_group and room_list")
    yield from _address_problem("rooms", rooms)
    if group and not _GUID.fullmatch(group):
        yield from _address_problem("room_group", [group])
    if room_list and room_list != ALL_ROOMS:
        yield from _address_problem("room_list", [room_list])
    if not canaries:
        text = "expected a mailbox outside of the fence; without one nothing proves the fence"
        yield Problem("fence.canaries", text)
    yield from _address_problem("fence.canaries", canaries)
    inside = {address.casefold() for address in (*rooms, group, room_list)}
    if any(canary.casefold() in inside for canary in canaries):
        text = "one of them is among the rooms; expected mailboxes outside of the fence"
        yield Problem("fence.canaries", text)


def _address_problem(key: str, addresses: list[str]) -> Iterator[Problem]:
    """Returns at most one problem; it names the position, since an address may be a person's."""
    for place, address in enumerate(addresses, start=1):
        local, at, domain = address.rpartition("@")
        if not (at and _LOCAL.fullmatch(local) and _is_domain(domain)):
            where = f"number {place} of them: " if len(addresses) > 1 else ""
            yield Problem(key, f"{where}expected a mail address such as boardroom@contoso.com")
            return


def _is_domain(text: str) -> bool:
    return bool(_DOMAIN.fullmatch(text)) and not _GUID.fullmatch(text)


def _several(text: str) -> list[str]:
    """Returns the items of a list, without duplicates in another case."""
    items = (item.strip() for item in text.split(","))
    return list({item.casefold(): item for item in reversed([*items]) if item}.values())[::-1]


def _reason(key: str, details: Any) -> str:
    if key in _RULES:
        return _RULES[key]
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    field = Microsoft365Settings.model_fields.get(key)
    return (
        f"expected: {field.description}" if field is not None and field.description else "not a valid value"
    )
