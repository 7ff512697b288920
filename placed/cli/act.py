"""`placed act`: asks a running daemon for an action in a room, as a panel does."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from placed.cli.endpoint_files import read_ca, read_token
from placed.domain.action import Action
from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    import ssl

    from placed.cli.action_client import Answer

_URL = "http://127.0.0.1:8620"


def act(  # noqa: PLR0913 - its options
    room: Annotated[str, typer.Argument(metavar="ROOM", help="The room's id.")],
    action: Annotated[Action, typer.Argument(metavar="ACTION", help="check-in, end, extend or book.")],
    *,
    panel_token_file: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            envvar="PLACED_PANEL_TOKEN_FILE",
            help="File with a token of http.panel_tokens that has the scope ROOM:ACTION.",
        ),
    ],
    minutes: Annotated[
        int | None,
        typer.Option("--minutes", min=1, max=1440, help="For book and extend: how long, or how much longer."),
    ] = None,
    meeting: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Start of the meeting, such as 2026-10-06T08:00:00Z. Default: the one that runs now, or the "
            "one that can be checked in to.",
        ),
    ] = None,
    url: Annotated[str, typer.Option(help="The status endpoint of the daemon.", envvar="PLACED_URL")] = _URL,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with the bearer token for reading, if one is required."),
    ] = None,
    ca_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="For https: the CA, if this machine does not trust it."),
    ] = None,
) -> None:
    """Ask for an action in a room, and print its outcome. It changes the calendar.

    Exit codes: 0 done, 1 refused or uncertain, or no answer, 2 usage.
    """
    from placed.cli.action_client import ActionClient
    from placed.cli.live_terminal import until_interrupted
    from placed.cli.room_stream import Access, NoAnswer

    if (minutes is None) == (action in (Action.BOOK, Action.EXTEND)):
        problem = "book and extend need it" if minutes is None else "only book and extend have it"
        raise typer.BadParameter(problem, param_hint="--minutes")
    start = _moment(meeting) if meeting is not None else None
    trust: ssl.SSLContext | Literal[True] = read_ca(ca_file) if ca_file else True
    panel = Access(read_token(panel_token_file, "--panel-token-file"), trust)
    reader = Access(read_token(token_file) if token_file else None, trust)
    client = ActionClient(url.rstrip("/"), panel, reader)
    answers: list[Answer] = []

    async def ask() -> None:
        answers.append(await client.act(room, action, start, minutes))

    try:
        until_interrupted(ask())
    except NoAnswer as error:
        typer.echo(f"placed: {url}: {error}", err=True)
        raise typer.Exit(ExitCode.FAILED) from None
    for answer in answers:
        typer.echo(f"{room}: {action.value}: {answer.words}", err=not answer.done)
        if not answer.done:
            raise typer.Exit(ExitCode.FAILED)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - has no zone, and so is refused
    if moment.tzinfo is None:
        problem = "expected a time with its zone, such as 2026-10-06T08:00:00Z"
        raise typer.BadParameter(problem, param_hint="--meeting")
    return moment
