"""`placed consent --link`: the consent page's address, and what comes back from there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import typer

from placed.cli.consent_connection import complain, connection_line, length, whoever
from placed.consent.redirect_listener import Page, Redirect
from placed.domain.exit_errors import ExitCode
from placed.driver import Consent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.cli.consent_connection import Matter
    from placed.driver import ConsentAnswer

_PATIENCE = 15 * 60.0  # seconds, unless told otherwise
_UNCHECKED = Page(
    "The answer could not be checked", "See the terminal for the reason.", HTTPStatus.BAD_GATEWAY
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator has said; `timeout` in seconds."""

    port: int
    timeout: float | None
    who: str | None
    open_browser: bool


async def give_link(matter: Matter, wanted: Wanted) -> ExitCode:
    """Prints the link, and tells what the administrator answered."""
    import secrets

    state = secrets.token_urlsafe(32)
    timeout = wanted.timeout if wanted.timeout is not None else _PATIENCE
    async with Redirect(state, port=wanted.port, forged=_Forged()) as redirect:
        url = matter.flow.consent_url(redirect.uri, state)
        _explain(matter, url, redirect.port, timeout)
        if wanted.open_browser:
            _open(url)
        answer = await _answered(redirect, timeout)
        if answer is None:
            complain(
                f"connections.{matter.name}: no answer came in time: if it went to a browser on another "
                f"machine, run placed consent {matter.name} --wait"
            )
            return ExitCode.FAILED
        judged: ConsentAnswer | None = None
        try:
            judged = await matter.flow.judge(answer)
        finally:
            redirect.show(_UNCHECKED if judged is None else _page(judged))
    return _conclude(matter, judged, wanted.who)


async def _answered(redirect: Redirect, patience: float) -> Mapping[str, str] | None:
    try:
        async with asyncio.timeout(patience):
            return await redirect.answer()
    except TimeoutError:
        return None


def _explain(matter: Matter, url: str, port: int, timeout: float) -> None:
    flow, name = matter.flow, matter.name
    lines = [
        f"An administrator opens this link within {length(timeout)} and compares what it asks for:",
        "",
        f"  {url}",
        "",
    ]
    for permission in flow.permissions:
        lines += [
            f"  {permission.name}: {permission.can}.",
            f"    It can not {permission.can_not}.",
        ]
    if flow.granted_elsewhere:
        lines += ["", flow.granted_elsewhere]
    lines += [
        "",
        f"The answer comes back to localhost, port {port}, on this machine. A browser on another one shows",
        "an error at the end, which does no harm; then run",
        f"  placed consent {name} --wait",
        f"or, before it begins, ssh -L {port}:localhost:{port} to this machine, and here: --port {port}.",
        "If the page says that an administrator has to approve:",
        f"  placed consent {name} --request",
        "",
        "Waiting for the answer; Ctrl-C ends it.",
    ]
    typer.echo("\n".join(lines))


class _Forged:
    """Says once that an answer was refused, however many there are."""

    def __init__(self) -> None:
        self._told = False

    def __call__(self) -> None:
        if not self._told:
            complain("an answer with a wrong state came in and was refused; still waiting for the right one")
        self._told = True


def _open(url: str) -> None:
    """In a thread that nobody waits for: some browsers only come back when they are closed."""
    import threading
    import webbrowser

    def work() -> None:
        if not webbrowser.open(url):
            complain("no browser could be opened; open the link yourself")

    threading.Thread(target=work, name="browser", daemon=True).start()


def _page(judged: ConsentAnswer) -> Page:
    close = "You can close this page."
    match judged.consent:
        case Consent.GRANTED if judged.effective:
            return Page("Consent was given", f"placed has seen it. {close}")
        case Consent.GRANTED:
            return Page("Consent was given", f"It takes a while until it is in effect. {close}")
        case Consent.DECLINED:
            return Page("Consent was declined", f"Nothing was granted. {close}")
        case _:
            return Page(
                "This answer does not count", f"{judged.problem.text}. {close}", HTTPStatus.BAD_REQUEST
            )


def _conclude(matter: Matter, judged: ConsentAnswer, who: str | None) -> ExitCode:
    from placed.domain.consent import ConsentRecord, Source

    if judged.consent is not Consent.UNKNOWN:
        moment = matter.clock.now()
        matter.keep(ConsentRecord(judged.consent, moment, source=Source.LINK, who=whoever(who) or None))
    if judged.consent is not Consent.GRANTED:
        complain(connection_line(matter.name, judged.problem))
        return ExitCode.FAILED
    typer.echo(f"{matter.name}: {judged.problem.text}")
    if not judged.effective and judged.problem.remedy:
        typer.echo(judged.problem.remedy)
    typer.echo(f"Next, until the rooms can be read: placed consent {matter.name} --wait")
    return ExitCode.DONE
