"""The connection as a table for placed.toml."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed_google.setup_kit.questionnaire import Answers


def connection_table(answers: Answers) -> str:
    """Returns a table that is valid once the key is in its place."""
    settings = answers.settings
    if settings.key_file is None:
        raise AssertionError("a kit has a key file")
    lines = [
        "# The connection for /etc/placed/placed.toml, or a file of its own in /etc/placed/placed.d.",
        "# `placed check --config FILE` checks it.",
        "",
        "[[connections]]",
        f"name = {_text(settings.name)}",
        'driver = "google"',
        "# Under systemd: put the file into /etc/placed/secrets, and write here",
        f"# key_file = {_text(f'$CREDENTIALS_DIRECTORY/secrets_{settings.key_file.name}')}",
        f"key_file = {_text(str(settings.key_file))} # of {answers.account.address}",
    ]
    if settings.subject is not None:
        lines.append(f"subject = {_text(settings.subject)} # domain-wide delegation, which cannot be fenced")
    if settings.rooms:
        lines.append(f"rooms = {_texts(settings.rooms)}")
    if settings.customer is not None:
        lines.append(f"customer = {_text(settings.customer)}")
    if settings.room_query is not None:
        lines.append(f"room_query = {_text(settings.room_query)}")
    lines += [
        f"time_zone = {_text(settings.time_zone.key)}",
        "",
        "[connections.fence]",
        f"canaries = {_texts(settings.fence.canaries)} # reading these must be refused",
        f"canaries_exist = {str(settings.fence.canaries_exist).lower()} # whether each was seen to exist",
        "enforce = true",
    ]
    if settings.rooms:
        lines += [
            "",
            "# Google's addresses of rooms have no meaning. A name for each, from which its id is made:",
            f"# [rooms.{_text(settings.rooms[0])}]",
            '# name = "Boardroom"',
        ]
    return "\n".join(lines) + "\n"


def actions_table(answers: Answers) -> str:
    """Returns the table of actions, which allows nothing until somebody names what."""
    key_file = answers.settings.key_file
    if key_file is None:
        raise AssertionError("a kit has a key file")
    lines = [
        f"# What panels may do in the rooms of the connection {_text(answers.settings.name)}: put it",
        "# directly below its other tables. Without it nothing is ever written to a calendar.",
        "",
        "[connections.actions]",
        "# Under systemd: put the file into /etc/placed/secrets, and write here",
        f"# key_file = {_text(f'$CREDENTIALS_DIRECTORY/secrets_{key_file.name}')}",
        f"key_file = {_text(str(key_file))} # of {answers.account.address}",
        'allow = [] # of "check-in", "end", "extend" and "book": what you name is allowed',
        'longest = "2h" # the longest booking that a panel can make',
        "# Google lets only the organizer change a meeting's end, so at a panel people's own meetings are",
        "# declined by the room, and their organizers are notified. shorten ends bookings of panels alone.",
        'end = "decline"',
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"
