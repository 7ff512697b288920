"""`placed consent --link`: prints the address of the consent page and handles the answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import typer

from placed.cli.consent_connection import connection_line, length, operator_name, print_problem
from placed.consent.redirect_listener import Page, Redirect
from placed.domain.exit_errors import ExitCode
from placed.driver import Consent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.cli.consent_connection import ConsentContext
    from placed.driver import ConsentAnswer

_PATIENCE = 15 * 60.0  # seconds; the default of --timeout
_UNCHECKED = Page(
    "The answer could not be checked", "See the terminal for the reason.", HTTPStatus.BAD_GATEWAY
)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """The options of --link; `timeout` in seconds."""

    port: int
    timeout: float | None
    who: str | None
    open_browser: bool


async def give_link(context: ConsentContext, options: LinkOptions) -> ExitCode:
    """Prints the link, waits for the administrator's answer and reports it."""
    import secrets

    state = secrets.token_urlsafe(32)
    timeout = options.timeout if options.timeout is not None else _PATIENCE
    async with Redirect(state, port=options.port, forged=_Forged()) as redirect:
        url = context.flow.consent_url(redirect.uri, state)
        _explain(context, url, redirect.port, timeout)
        if options.open_browser:
            _open(url)
        answer = await _answered(redirect, timeout)
        if answer is None:
            print_problem(
                f"connections.{context.name}: no answer arrived in time: if the browser runs on another "
                f"machine, run placed consent {context.name} --wait"
            )
            return ExitCode.FAILED
        result: ConsentAnswer | None = None
        try:
            result = await context.flow.judge(answer)
        finally:
            redirect.show(_UNCHECKED if result is None else _page(result))
    return _conclude(context, result, options.who)


async def _answered(redirect: Redirect, patience: float) -> Mapping[str, str] | None:
    try:
        async with asyncio.timeout(patience):
            return await redirect.answer()
    except TimeoutError:
        return None


def _explain(context: ConsentContext, url: str, port: int, timeout: float) -> None:
    flow, name = context.flow, context.name
    lines = [
        f"An administrator opens this link within {length(timeout)} and compares the permissions:",
        "",
        f"  {url}",
        "",
    ]
    for permission in flow.permissions:
        lines += [
            f"  {permission.name}: {permission.can}.",
            f"    It cannot {permission.cannot}.",
        ]
    if flow.granted_elsewhere:
        lines += ["", flow.granted_elsewhere]
    lines += [
        "",
        f"The browser sends the answer to localhost, port {port}, on this machine. A browser on another",
        "machine shows an error at the end, which does no harm; then run",
        f"  placed consent {name} --wait",
        f"or first connect with ssh -L {port}:localhost:{port} to this machine, and add --port {port} here.",
        "If the page requires the approval of an administrator:",
        f"  placed consent {name} --request",
        "",
        "Waiting for the answer; Ctrl-C ends it.",
    ]
    typer.echo("\n".join(lines))


class _Forged:
    """Reports the first refused answer only."""

    def __init__(self) -> None:
        self._reported = False

    def __call__(self) -> None:
        if not self._reported:
            print_problem("an answer with a wrong state was refused; still waiting for the right one")
        self._reported = True


def _open(url: str) -> None:
    """Opens the browser in a daemon thread, since some browsers block until they are closed."""
    import threading
    import webbrowser

    def work() -> None:
        if not webbrowser.open(url):
            print_problem("no browser could be open_consent; open the link yourself")

    threading.Thread(target=work, name="browser", daemon=True).start()


def _page(result: ConsentAnswer) -> Page:
    close = "You can close this page."
    match result.consent:
        case Consent.GRANTED if result.effective:
            return Page("Consent was given", f"placed has confirmed it. {close}")
        case Consent.GRANTED:
            return Page("Consent was given", f"It takes some time until it is in effect. {close}")
        case Consent.DECLINED:
            return Page("Consent was declined", f"Nothing was granted. {close}")
        case _:
            return Page(
                "This answer was not accepted", f"{result.problem.text}. {close}", HTTPStatus.BAD_REQUEST
            )


def _conclude(context: ConsentContext, result: ConsentAnswer, who: str | None) -> ExitCode:
    from placed.domain.consent_record import ConsentRecord, Source

    if result.consent is not Consent.UNKNOWN:
        moment = context.clock.now()
        context.keep(
            ConsentRecord(result.consent, moment, source=Source.LINK, who=operator_name(who) or None)
        )
    if result.consent is not Consent.GRANTED:
        print_problem(connection_line(context.name, result.problem))
        return ExitCode.FAILED
    typer.echo(f"{context.name}: {result.problem.text}")
    if not result.effective and result.problem.remedy:
        typer.echo(result.problem.remedy)
    typer.echo(f"Next, until the rooms can be read: placed consent {context.name} --wait")
    return ExitCode.DONE
