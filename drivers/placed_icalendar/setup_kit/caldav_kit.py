"""The kit of a CalDAV connection: pages and a rights file. Implements `placed.driver.Setup`.

There is nothing to run, since each server is configured in its own way; a second run changes nothing.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from placed.driver import Kit, kit_files
from placed.driver.kit_templates import Templates, wrapped
from placed_icalendar.setup_kit.caldav_questions import answers_of, questions, understand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from placed_icalendar.setup_kit.caldav_questions import CalDavAnswers

__all__ = ["answers_of", "questions", "write_kit"]

_TEMPLATES = Templates("placed_icalendar.setup_kit")
_PURPOSES = {
    "README.md": "what to do at the server, in which order, and how to take it back",
    "fence.md": "the canaries, and what they prove",
    "radicale-rights": "the account's rights, for the rights file of Radicale",
    "placed.toml": "the connection, for the configuration of placed",
}


def write_kit(
    connection: str,
    answers: Mapping[str, str],
    folder: Path,
    *,
    now: datetime,  # noqa: ARG001 - of the protocol; a password has no date
    renew: bool,
) -> Kit:
    """See `placed.driver.Setup.write_kit`."""
    folder = kit_files.checked(folder)
    understood = understand(connection, answers)
    files = kit_files.write_texts(folder, _contents(understood), _PURPOSES)
    return Kit(folder, files, _next_steps(understood, renew=renew))


def radicale_rights(answers: CalDavAnswers) -> str:
    """Returns entries for a rights file of Radicale: the account lists the home and reads what is in it."""
    home = re.escape(answers.home)
    names = "|".join(re.escape(name) for name in answers.settings.calendars) or "[^/]+"
    values = {"user": re.escape(answers.user), "home": home, "calendars": f"{home}/({names})".lstrip("/")}
    return _TEMPLATES.render("caldav/radicale-rights", values)


def _contents(answers: CalDavAnswers) -> Iterator[tuple[str, str]]:
    values = _values(answers)
    values["at_the_server"] = _TEMPLATES.render(f"caldav/{answers.server}.md", values).strip()
    yield "README.md", wrapped(_TEMPLATES.render("caldav/readme.md", values))
    yield "fence.md", wrapped(_TEMPLATES.render("caldav/fence.md", values))
    if answers.server == "radicale":
        yield "radicale-rights", radicale_rights(answers)
    yield "placed.toml", connection_table(answers)


def _next_steps(answers: CalDavAnswers, *, renew: bool) -> tuple[str, ...]:
    name = answers.settings.name
    if renew:
        return (
            f"make another password of the account {answers.user} at the server",
            f"put it into /etc/placed/secrets/{name}, and restart placed",
            f"check with `placed doctor {name}`, then withdraw the old password",
        )
    return (
        "the server's administrator does what README.md describes",
        f"put the password into /etc/placed/secrets/{name}, and placed.toml on the server",
        f"run `placed doctor {name}`: it reports what is missing",
    )


def _values(answers: CalDavAnswers) -> dict[str, str]:
    settings = answers.settings
    rooms = ", ".join(f"`{name}`" for name in settings.calendars)
    return {
        "name": settings.name,
        "user": answers.user,
        "url": settings.url,
        "home": f"/{answers.home}/" if answers.home else "/",
        "rooms": f"the calendars {rooms}" if rooms else "every calendar of a room",
        "canaries": "\n".join(f"- {canary}" for canary in settings.fence.canaries),
    }


def connection_table(answers: CalDavAnswers) -> str:
    """Returns a `[[connections]]` table that is valid once the password is in its place."""
    settings = answers.settings
    lines = [
        "# The connection for /etc/placed/placed.toml, or a file of its own in /etc/placed/placed.d.",
        "# `placed check --config FILE` checks it.",
        "",
        "[[connections]]",
        f"name = {_text(settings.name)}",
        'driver = "caldav"',
        f"url = {_text(settings.url)}",
        f"username = {_text(answers.user)}",
        "# The unit hands /etc/placed/secrets over; without systemd, the path of the file.",
        f"password_file = {_text(f'$CREDENTIALS_DIRECTORY/secrets_{settings.name}')}",
        *([f"calendars = {_texts(settings.calendars)}"] if settings.calendars else []),
        f"time_zone = {_text(settings.time_zone.key)}",
        "",
        "[connections.fence]",
        f"canaries = {_texts(settings.fence.canaries)} # reading these must be refused",
        "enforce = true",
    ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"
