"""The questions for a kit, and the check of their answers.

The rules are those of the settings, and stricter if an answer goes into a script: addresses and ids are plain
ASCII.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from placed.driver import KitError, Problem, Question, SettingsError
from placed_google.auth.key_file import load_key
from placed_google.client_factory import load_credential
from placed_google.settings import MY_CUSTOMER, GoogleSettings
from placed_google.setup_kit.service_account import ServiceAccount, is_project, registration_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_QUESTIONS = (
    Question("account", "The service account's address, if there is one already; else empty", default=""),
    Question(
        "project",
        "The id of the Google Cloud project for the service account, such as fabrikam-placed; it is created "
        "if it does not exist, and is unique in the world: 6 to 30 of a-z, 0-9 and -",
        instead=("account",),
    ),
    Question(
        "customer",
        "The organisation's customer id, C…, if its directory lists the rooms (Admin console, Account, "
        "Account settings); empty to name the rooms one by one",
        default="",
        instead=("rooms",),
    ),
    Question(
        "rooms",
        "The addresses of the rooms' calendars, c_…@resource.calendar.google.com, separated by commas",
        several=True,
        instead=("customer",),
    ),
    Question(
        "room_query",
        "Which of the directory's resources are rooms, as a query of the Directory API; empty for its "
        "meeting rooms",
        default="",
        instead=("rooms",),
    ),
    Question(
        "subject",
        "A user for whom the account acts, by domain-wide delegation, which cannot be limited to rooms; "
        "empty to share the rooms instead",
        default="",
    ),
    Question(
        "share_with",
        "A group to share the rooms with, whose only member is the account; empty for the account itself",
        default="",
        instead=("subject",),
    ),
    Question(
        "fence.canaries",
        "Mail addresses of people whose calendars placed must not be able to read, two at best, separated by "
        "commas",
        several=True,
    ),
    Question(
        "fence.canaries_exist",
        "Whether you have seen that each of these calendars exists: yes or no",
        default="no",
    ),
    Question("time_zone", "The rooms' time zone, such as Europe/Berlin", default="UTC"),
)

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9!#$%&'+/=^_`{{|}}~.-]{{1,128}}@({_LABEL}\.)+{_LABEL}")
_CUSTOMER = re.compile(rf"C[A-Za-z0-9]{{1,30}}|{MY_CUSTOMER}")
_YES = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


@dataclass(frozen=True, slots=True)
class Answers:
    """Valid answers.

    Attributes:
        settings: the resulting settings; the key file is the kit's.
        account: the service account.
        share_with: whom the rooms are shared with: the account, or a group that it is the member of.
        actions: whether the kit is for the account of actions, and not for the one that reads.
    """

    settings: GoogleSettings
    account: ServiceAccount
    share_with: str
    actions: bool = False

    @property
    def registration(self) -> str:
        """The name of the key's file, without its ending."""
        return registration_name(self.settings.name, actions=self.actions)

    @property
    def delegated(self) -> bool:
        """Whether the account acts for a user; the account of actions never does."""
        return self.settings.subject is not None and not self.actions

    @property
    def by_group(self) -> bool:
        """Whether the rooms are shared with a group."""
        return self.share_with != self.account.address


def questions() -> Sequence[Question]:
    """See `placed.driver.Setup.questions`."""
    return _QUESTIONS


def answers_of(settings: GoogleSettings) -> Mapping[str, str]:
    """Returns the answers that correspond to the settings, and the account that the key file names."""
    found = {
        "account": _account_of(settings),
        "customer": settings.customer or "",
        "rooms": ",".join(settings.rooms),
        "room_query": settings.room_query or "",
        "subject": settings.subject or "",
        "fence.canaries": ",".join(settings.fence.canaries),
        "fence.canaries_exist": "yes" if settings.fence.canaries_exist else "no",
        "time_zone": settings.time_zone.key,
    }
    return {key: answer for key, answer in found.items() if answer}


def actions_answers_of(settings: GoogleSettings) -> Mapping[str, str]:
    """Returns the same for the account of actions; a new one is made in the project of the one that reads."""
    found = dict(answers_of(settings))
    reads = ServiceAccount.parse(found.pop("account", ""))
    writes = None if settings.actions is None else _account_in(settings.actions.key_file)
    if writes:
        found["account"] = writes
    elif reads is not None:
        found["project"] = reads.project
    return found


def understand(
    connection: str, answers: Mapping[str, str], key_file: Path, *, actions: bool = False
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
    made: GoogleSettings | None = None
    try:
        made = GoogleSettings(**_settings(connection, given, rooms, canaries, key_file))
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            key = ".".join(str(step) for step in details["loc"] if isinstance(step, str))
            if key not in named and not (key == "" and named & {"rooms", "room_query"}):
                problems.append(Problem(key, details["msg"].removeprefix("Value error, ")))
                named.add(key)
    if problems or made is None:
        raise KitError(*problems)
    account = ServiceAccount.parse(given["account"]) or ServiceAccount.for_connection(
        connection, given["project"], actions=actions
    )
    return Answers(made, account, given["share_with"].lower() or account.address, actions)


def _account_of(settings: GoogleSettings) -> str:
    """Returns the address in the credential's file; empty if it cannot be read here."""
    try:
        address = load_credential(settings).email
    except SettingsError:
        return ""
    return address if ServiceAccount.parse(address) else ""


def _account_in(key_file: Path) -> str:
    """Returns the address in a key file; empty if it cannot be read here."""
    try:
        address = load_key(key_file).email
    except SettingsError:
        return ""
    return address if ServiceAccount.parse(address) else ""


def _settings(
    connection: str, given: Mapping[str, str], rooms: list[str], canaries: list[str], key_file: Path
) -> dict[str, Any]:
    exist = _YES.get(given["fence.canaries_exist"].lower(), False)
    return {
        "name": connection,
        "key_file": key_file,
        "rooms": rooms,
        "customer": given["customer"] or None,
        "room_query": given["room_query"] or None,
        "subject": given["subject"] or None,
        "time_zone": given["time_zone"],
        "fence": {"canaries": canaries, "canaries_exist": exist},
    }


def _problems(given: Mapping[str, str], rooms: list[str], canaries: list[str]) -> Iterator[Problem]:
    """Returns the problems of answers that the settings would accept."""
    yield from _account_problems(given)
    yield from _room_problems(given, rooms)
    yield from _address_problem("subject", [given["subject"]] if given["subject"] else [])
    yield from _address_problem("share_with", [given["share_with"]] if given["share_with"] else [])
    if not canaries:
        text = "expected somebody whose calendar placed must not read; without one nothing proves the fence"
        yield Problem("fence.canaries", text)
    yield from _address_problem("fence.canaries", canaries)
    if {canary.casefold() for canary in canaries} & {room.casefold() for room in rooms}:
        yield Problem("fence.canaries", "one of them is among the rooms; expected calendars of people")
    if given["fence.canaries_exist"].lower() not in _YES:
        yield Problem("fence.canaries_exist", "expected yes or no")


def _account_problems(given: Mapping[str, str]) -> Iterator[Problem]:
    if given["account"]:
        if ServiceAccount.parse(given["account"]) is None:
            yield Problem("account", "expected an address such as placed@my-project.iam.gserviceaccount.com")
    elif not is_project(given["project"]):
        text = "expected 6 to 30 of a-z, 0-9 and -, with a letter first, such as fabrikam-placed"
        yield Problem("project", text)


def _room_problems(given: Mapping[str, str], rooms: list[str]) -> Iterator[Problem]:
    if bool(rooms) == bool(given["customer"]):
        yield Problem("rooms", "expected one of rooms and customer")
    if given["room_query"] and not given["customer"]:
        yield Problem("room_query", "expected customer beside it: it selects from the directory's list")
    elif not (given["room_query"].isprintable() and given["room_query"].isascii()):
        yield Problem("room_query", "expected a query such as resourceCategory=CONFERENCE_ROOM")
    if given["customer"] and not _CUSTOMER.fullmatch(given["customer"]):
        yield Problem("customer", "expected a customer id such as C01abc234")
    elif given["customer"] == MY_CUSTOMER and not given["subject"]:
        text = f"{MY_CUSTOMER} is the organisation of a user, and a service account has none; expected C…"
        yield Problem("customer", text)
    yield from _address_problem("rooms", rooms)


def _address_problem(key: str, addresses: list[str]) -> Iterator[Problem]:
    """Returns at most one problem; it names the position, since an address may be a person's."""
    for place, address in enumerate(addresses, start=1):
        if not _ADDRESS.fullmatch(address):
            where = f"number {place} of them: " if len(addresses) > 1 else ""
            yield Problem(key, f"{where}expected an address such as c_188…@resource.calendar.google.com")
            return


def _several(text: str) -> list[str]:
    """Returns the items of a list in lower case, as Google treats addresses, without duplicates."""
    return list(dict.fromkeys(item.strip().lower() for item in text.split(",") if item.strip()))
