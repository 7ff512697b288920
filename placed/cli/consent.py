"""`placed consent`: the administrator's consent, by link, by request or granted elsewhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from placed.cli.connection_option import NameArgument, StateOption  # noqa: TC001 - typer reads the annotations
from placed.cli.options import ConfigOption  # noqa: TC001 - the same

_LINK = "The link (--link)"
_REQUEST = "The request (--request)"


class Way(StrEnum):
    """What the command does."""

    LINK = "link"
    REQUEST = "request"
    WAIT = "wait"
    STATUS = "status"


def consent(  # noqa: PLR0913 - its options
    name: NameArgument = None,
    config: ConfigOption = None,
    state_directory: StateOption = None,
    *,
    link: Annotated[
        bool, typer.Option("--link", help="Print the consent page's address, and wait for the answer.")
    ] = False,
    request: Annotated[
        bool,
        typer.Option("--request", help="Write a message that requests consent from an administrator."),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the grant is in effect.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Print the known state of consent.")] = False,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long to wait: 30s, 15m, 2h. [dim]Default: 15m for an answer, else some hours[/dim]",
        ),
    ] = None,
    who: Annotated[
        str | None,
        typer.Option(
            help="Who requests or gives consent; stored in the state directory. "
            "[dim]Default: this user's name[/dim]"
        ),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the link in a browser.", rich_help_panel=_LINK)
    ] = False,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="The local port for the answer; 0: any.", rich_help_panel=_LINK),
    ] = 0,
    because: Annotated[
        str | None, typer.Option(help="The reason for the request.", rich_help_panel=_REQUEST)
    ] = None,
    days: Annotated[
        int,
        typer.Option(
            min=1, max=60, help="The number of days until the request lapses.", rich_help_panel=_REQUEST
        ),
    ] = 30,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the files.", rich_help_panel=_REQUEST)
    ] = Path(),
) -> None:
    """Get the administrator's consent: by a link or by a request, and wait until it is in effect.

    --link prints a link for an administrator who can open it now.
    --request writes a message to an administrator.
    --wait returns, after either, when the grant is in effect.

    Exit codes: 0 granted (or written), 1 declined, given in another tenant or not in time,
    3 a person must fix the configuration.
    """
    import asyncio

    from placed.cli.consent_connection import open_consent, usage

    flags = {Way.LINK: link, Way.REQUEST: request, Way.WAIT: wait, Way.STATUS: status}
    ways = [way for way, wanted in flags.items() if wanted]
    if len(ways) > 1:
        raise usage("one of --link, --request, --wait and --status at a time")
    seconds = _seconds(timeout)
    with open_consent(config, name, state_directory) as context:
        way = ways[0] if ways else _asked_for()
        if way is Way.STATUS:
            typer.echo(context.status())
        elif way is Way.WAIT:
            from placed.cli.consent_wait import wait_for_effect

            code = asyncio.run(wait_for_effect(context, seconds))
            raise typer.Exit(code)
        elif not context.flow.permissions:
            typer.echo(f"{context.name}: no consent page is needed for this connection.")
            typer.echo(context.flow.granted_elsewhere)
            typer.echo(f"Then: placed consent {context.name} --wait")
        elif way is Way.LINK:
            from placed.cli.consent_link import LinkOptions, give_link

            options = LinkOptions(port, seconds, who, open_browser=open_browser)
            raise typer.Exit(asyncio.run(give_link(context, options)))
        else:
            from placed.cli.consent_message_to_admin import write_request

            write_request(context, who=who, because=because, days=days, folder=output)


def _asked_for() -> Way:
    from placed.cli.consent_connection import at_a_terminal, usage

    if not at_a_terminal():
        raise usage("this is not a terminal, so choose one of: --link, --request or --wait")
    typer.echo(
        "  link     an administrator opens a link now\n"
        "  request  write a message to an administrator\n"
        "  wait     consent was given; wait until it is in effect"
    )
    choices = [Way.LINK, Way.REQUEST, Way.WAIT]
    while True:
        answer = str(typer.prompt("Which way", default=Way.LINK.value)).strip().lower()
        found = [way for way in choices if way.value.startswith(answer)] if answer else []
        if len(found) == 1:
            return found[0]
        typer.echo("link, request or wait")


def _seconds(timeout: str | None) -> float | None:
    from pydantic import TypeAdapter, ValidationError

    from placed.cli.consent_connection import usage
    from placed.driver.setting_values import Duration

    if timeout is None:
        return None
    try:
        seconds = TypeAdapter(Duration).validate_python(timeout).total_seconds()
    except (ValidationError, OverflowError):
        seconds = 0.0
    if seconds <= 0:
        raise usage(f"--timeout {timeout}: expected a duration such as 30s, 15m or 2h")
    return seconds
