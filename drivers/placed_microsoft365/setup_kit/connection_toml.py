"""The connection as a table for placed.toml."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from placed_microsoft365.clouds import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed_microsoft365.setup_kit.questionnaire import Answers


def connection_table(answers: Answers, renewed: str | None) -> str:
    """Returns a table that is valid once it has the client id; `renewed` is the next certificate's file."""
    settings = answers.settings
    if settings.certificate is None:
        raise AssertionError("a kit has a certificate")
    lines = [
        "# The connection for /etc/placed/placed.toml, or a file of its own in /etc/placed/placed.d.",
        "# `placed check --config FILE` checks it.",
        "",
        "[[connections]]",
        f"name = {_text(settings.name)}",
        'driver = "microsoft365"',
        f"tenant = {_text(settings.tenant)}",
        f"client_id = {_text(answers.client_id or '')}"
        + ("" if answers.client_id else " # the application (client) id that register prints"),
        "# Under systemd: put the file into /etc/placed/secrets, and write here",
        f"# certificate = {_text(f'$CREDENTIALS_DIRECTORY/secrets_{settings.certificate.name}')}",
        f"certificate = {_text(str(settings.certificate))}",
    ]
    if renewed is not None:
        lines.append(f"# When {renewed} is registered, name that file instead.")
    if settings.cloud is not Cloud.WORLDWIDE:
        lines.append(f"cloud = {_text(settings.cloud.value)}")
    if settings.rooms:
        lines.append(f"rooms = {_texts(settings.rooms)}")
    if settings.room_group is not None:
        lines.append(f"room_group = {_text(settings.room_group)}")
    if settings.room_list is not None:
        lines.append(f"room_list = {_text(settings.room_list)}")
    lines += [
        f"time_zone = {_text(settings.time_zone.key)}",
        "",
        "[connections.fence]",
        f"kind = {_text(settings.fence.kind)}",
        f"canaries = {_texts(settings.fence.canaries)} # reading these must be refused",
        "enforce = true",
    ]
    return "\n".join(lines) + "\n"


def actions_table(answers: Answers, renewed: str | None) -> str:
    """Returns the table of actions, which allows nothing until somebody names what."""
    certificate = answers.settings.certificate
    if certificate is None:
        raise AssertionError("a kit has a certificate")
    lines = [
        f"# What panels may do in the rooms of the connection {_text(answers.settings.name)}: put it",
        "# directly below its other tables. Without it nothing is ever written to a calendar.",
        "",
        "[connections.actions]",
        f"client_id = {_text(answers.client_id or '')}"
        + ("" if answers.client_id else " # the application (client) id that register prints"),
        "# Under systemd: put the file into /etc/placed/secrets, and write here",
        f"# certificate = {_text(f'$CREDENTIALS_DIRECTORY/secrets_{certificate.name}')}",
        f"certificate = {_text(str(certificate))}",
        *([f"# When {renewed} is registered, name that file instead."] if renewed is not None else []),
        'allow = [] # of "check-in", "end", "extend" and "book": what you name is allowed',
        'longest = "2h" # the longest booking that a panel can make',
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"
