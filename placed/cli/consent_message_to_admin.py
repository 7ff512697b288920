"""Writes the message that asks an administrator for consent: `placed consent --request`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from placed.cli.consent_connection import at_a_terminal, cleaned, operator_name, usage

if TYPE_CHECKING:
    from pathlib import Path

    from placed.cli.consent_connection import ConsentContext

_NOWHERE = "http://localhost"  # redirect address of the consent page; nothing listens there


def write_request(
    context: ConsentContext, *, who: str | None, because: str | None, days: int, folder: Path
) -> None:
    """Writes the message as text and as HTML, prints it, and stores the request."""
    import secrets

    from placed.domain.consent_record import ConsentRecord, Source
    from placed.driver import Consent, ConsentRequest

    asking = _option_or_prompt("--who", "Who requests it", operator_name(who), given=who is not None)
    reason = _option_or_prompt(
        "--because", "Why is it needed", cleaned(because or ""), given=because is not None
    )
    now = context.clock.now()
    asked = ConsentRequest(asking, reason, now, now + timedelta(days=days))
    url = context.flow.consent_url(_NOWHERE, secrets.token_urlsafe(32))
    letter = context.flow.letter(asked, url)
    files = [folder / f"consent-request-{context.name}.{ending}" for ending in ("txt", "html")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in zip(files, (letter.text, letter.html), strict=True):
            file.write_text(content, "utf-8")
    except OSError as error:
        raise usage(f"--output {folder}: {error.strerror}") from None
    context.keep(
        ConsentRecord(Consent.REQUESTED, now, asked.lapses_on, source=Source.REQUEST, who=asking or None)
    )
    typer.echo(letter.text)
    typer.echo(f"Written to {files[0]} and {files[1]}; send either.")
    typer.echo(f"After the answer: placed consent {context.name} --wait")


def _option_or_prompt(option: str, question: str, known: str, *, given: bool) -> str:
    """The value of the option; prompted for at a terminal if it is missing."""
    answer = known
    if not given and at_a_terminal():
        answer = cleaned(str(typer.prompt(question, default=known or None)))
    if not answer:
        raise usage(f"{option} is missing: the administrator needs to know it")
    return answer
