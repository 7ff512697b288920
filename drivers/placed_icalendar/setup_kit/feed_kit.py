"""The kit of a connection to feeds: how each calendar is published. Implements `placed.driver.Setup`.

For Exchange it has scripts; elsewhere people click. No link is in it: each goes into a file of its own.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from placed.driver import Kit, kit_files
from placed.driver.kit_templates import Templates, wrapped
from placed_icalendar.setup_kit.feed_questions import answers_of, questions, understand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from placed_icalendar.setup_kit.feed_questions import FeedAnswers

__all__ = ["answers_of", "questions", "write_kit"]

_TEMPLATES = Templates("placed_icalendar.setup_kit")
_PURPOSES = {
    "README.md": "what to do at the publisher, in which order, and how to take it back",
    "publish-calendars.ps1": "publishes the rooms' calendars at Exchange, and writes the links into files",
    "unpublish-calendars.ps1": "takes that back",
    "fence.md": "who can read a feed, and what proves what",
    "placed.toml": "the connection, for the configuration of placed",
}
_TITLES = {
    "exchange": "Exchange",
    "nextcloud": "Nextcloud",
    "sogo": "SOGo",
    "zimbra": "Zimbra",
    "other": "the publisher",
}
# What the sharing policy of a mailbox has to allow, by the detail.
_SHARING = {
    "AvailabilityOnly": "CalendarSharingFreeBusySimple",
    "LimitedDetails": "CalendarSharingFreeBusyDetail",
    "FullDetails": "CalendarSharingFreeBusyReviewer",
}
_WITH_LOGIN = frozenset({"sogo", "zimbra"})


def write_kit(
    connection: str,
    answers: Mapping[str, str],
    folder: Path,
    *,
    now: datetime,  # noqa: ARG001 - of the protocol; a link has no date
    renew: bool,
) -> Kit:
    """See `placed.driver.Setup.write_kit`."""
    folder = kit_files.checked(folder)
    understood = understand(connection, answers)
    files = kit_files.write_texts(folder, _contents(understood), _PURPOSES)
    return Kit(folder, files, _next_steps(understood, renew=renew))


def _contents(answers: FeedAnswers) -> Iterator[tuple[str, str]]:
    values = _values(answers)
    parts = [
        _TEMPLATES.render(f"feeds/{part}.md", values) for part in ("readme", answers.publisher, "server")
    ]
    yield "README.md", wrapped("\n".join(part.rstrip("\n") + "\n" for part in parts))
    if answers.publisher == "exchange":
        for name in ("publish-calendars.ps1", "unpublish-calendars.ps1"):
            yield name, _TEMPLATES.render(f"feeds/{name}", values)
    yield "fence.md", wrapped(_TEMPLATES.render("feeds/fence.md", values))
    yield "placed.toml", _connection_table(answers)


def _next_steps(answers: FeedAnswers, *, renew: bool) -> tuple[str, ...]:
    again = "makes new links; the earlier ones lead nowhere" if renew else "publishes the calendars"
    if answers.publisher == "exchange":
        first = "run publish-calendars.ps1 in Exchange PowerShell; README.md explains it"
        if renew:
            first = f"run unpublish-calendars.ps1, then publish-calendars.ps1: that {again}"
    else:
        first = f"somebody who manages the calendars at {_TITLES[answers.publisher]} {again}: README.md"
    return (
        first,
        "put each link into a file of its own in /etc/placed/secrets, as placed.toml names them",
        f"run `placed consent {answers.name} --wait`: it returns when every feed can be read",
        f"run `placed doctor {answers.name}`: it reports what is missing, and how old the news is",
    )


def _connection_table(answers: FeedAnswers) -> str:
    """Returns a table that is valid once the links are in their places."""
    lines = [
        "# The connection for /etc/placed/placed.toml, or a file of its own in /etc/placed/placed.d.",
        "# `placed check --config FILE` checks it. A link is a secret: it is in a file of its own.",
        "",
        "[[connections]]",
        f"name = {json.dumps(answers.name)}",
        'driver = "icalendar"',
        f"time_zone = {json.dumps(answers.zone)}",
        "[connections.feeds]",
    ]
    for room in answers.rooms:
        table = f'url_file = "$CREDENTIALS_DIRECTORY/secrets_{_file_of(room)}"'
        if answers.publisher in _WITH_LOGIN:
            password = f"$CREDENTIALS_DIRECTORY/secrets_{answers.name}.password"
            table += f', username = "placed", password_file = "{password}"'
        lines.append(f"{json.dumps(room)} = {{ {table} }}")
    lines += [
        "[connections.fence]",
        "# Links of people's calendars at the same host, if there are such, which must be refused:",
        '# canaries = ["https://…"]',
        "enforce = true",
    ]
    return "\n".join(lines) + "\n"


def _file_of(room: str) -> str:
    """The name of the file with a room's link."""
    return re.sub(r"[^a-z0-9._-]", "-", room.lower()) + ".link"


def _values(answers: FeedAnswers) -> dict[str, str]:
    return {
        "name": answers.name,
        "publisher": _TITLES[answers.publisher],
        "rooms_list": "\n".join(f"- `{room}`" for room in answers.rooms),
        "rooms": ",\n".join(
            f"    @{{ Address = {_powershell(room)}; File = {_powershell(_file_of(room))} }}"
            for room in answers.rooms
        ),
        "first_room": answers.rooms[0],
        "first_file": _file_of(answers.rooms[0]),
        "detail": answers.detail,
        "detail_literal": _powershell(answers.detail),
        "sharing": _SHARING[answers.detail],
    }


def _powershell(text: str) -> str:
    """Quotes a literal for PowerShell."""
    return "'" + text.replace("'", "''") + "'"
