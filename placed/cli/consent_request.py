"""`placed consent --request`: a message that asks an administrator, ready to be sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from placed.cli.consent_connection import at_a_terminal, cleaned, usage, whoever

if TYPE_CHECKING:
    from pathlib import Path

    from placed.cli.consent_connection import Matter

_NOWHERE = "http://localhost"  # where the administrator's browser is sent at the end; nobody listens there


def write_request(matter: Matter, *, who: str | None, because: str | None, days: int, folder: Path) -> None:
    """Writes the message as text and as HTML, prints it, and keeps that it was asked."""
    import secrets

    from placed.domain.consent import ConsentRecord, Source
    from placed.driver import Consent, ConsentRequest

    asking = _said("--who", "Who asks", whoever(who), given=who is not None)
    reason = _said("--because", "Why is it wanted", cleaned(because or ""), given=because is not None)
    now = matter.clock.now()
    asked = ConsentRequest(asking, reason, now, now + timedelta(days=days))
    url = matter.flow.consent_url(_NOWHERE, secrets.token_urlsafe(32))
    letter = matter.flow.letter(asked, url)
    files = [folder / f"consent-request-{matter.name}.{ending}" for ending in ("txt", "html")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in zip(files, (letter.text, letter.html), strict=True):
            file.write_text(content, "utf-8")
    except OSError as error:
        raise usage(f"--output {folder}: {error.strerror}") from None
    matter.keep(
        ConsentRecord(Consent.REQUESTED, now, asked.lapses_on, source=Source.REQUEST, who=asking or None)
    )
    typer.echo(letter.text)
    typer.echo(f"Written to {files[0]} and {files[1]}; send either.")
    typer.echo(f"Once it was answered: placed consent {matter.name} --wait")


def _said(option: str, question: str, known: str, *, given: bool) -> str:
    """What the operator says; asked for at a terminal, if no option has it."""
    answer = known
    if not given and at_a_terminal():
        answer = cleaned(str(typer.prompt(question, default=known or None)))
    if not answer:
        raise usage(f"{option} is missing: the administrator will want to know")
    return answer
