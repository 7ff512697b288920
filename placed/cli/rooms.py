"""`placed rooms`: a live table of the rooms in the terminal, from a running daemon's status endpoint."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placed.errors import ExitCode

if TYPE_CHECKING:
    import aiohttp
    from rich.table import Table

_STYLES = {"free": "green", "starting": "yellow", "busy": "red", "pending": "yellow", "unknown": "dim"}
_SHAPES = {"free": "○", "starting": "◐", "busy": "●", "pending": "◌", "unknown": "?"}


def rooms(
    url: Annotated[
        str, typer.Option(help="The status endpoint of the daemon.", envvar="PLACED_URL")
    ] = "http://127.0.0.1:8620",
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="File with the bearer token, if the daemon wants one.")
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Print the table once and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the status endpoint's JSON and end.")
    ] = False,
) -> None:
    """Show the rooms of a running daemon: a live table; Ctrl-C ends it."""
    from pathlib import Path

    try:
        token = Path(token_file).read_text("utf-8").strip() if token_file else None
    except OSError as error:
        typer.echo(f"placed: --token-file {token_file}: {error.strerror}", err=True)
        raise typer.Exit(ExitCode.USAGE) from None
    try:
        asyncio.run(_show(url.rstrip("/"), token, once=once, as_json=as_json))
    except KeyboardInterrupt:
        return
    except _NoAnswer as error:
        typer.echo(f"placed: {url}: {error}", err=True)
        raise typer.Exit(ExitCode.FAILED) from None


class _NoAnswer(Exception):
    """The status endpoint does not answer as it should."""


async def _show(url: str, token: str | None, *, once: bool, as_json: bool) -> None:
    import aiohttp

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            if as_json:
                async with session.get(f"{url}/api/v1/rooms") as response:
                    _expect_ok(response)
                    typer.echo(await response.text())
            elif once:
                async with session.get(f"{url}/api/v1/rooms") as response:
                    _expect_ok(response)
                    listing = await response.json()
                _print(_table({room["room"]: room for room in listing["rooms"]}))
            else:
                await _follow(session, url)
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
        raise _NoAnswer(f"no answer from a placed daemon ({type(error).__name__}); is it running?") from None


def _expect_ok(response: aiohttp.ClientResponse) -> None:
    if response.status == 401:  # noqa: PLR2004 - HTTP's own
        raise _NoAnswer("the daemon wants a token: --token-file")
    if response.status != 200:  # noqa: PLR2004
        raise _NoAnswer(f"it answered {response.status}")


async def _follow(session: aiohttp.ClientSession, url: str) -> None:
    import aiohttp
    import msgspec
    from rich.live import Live

    known: dict[str, Any] = {}
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with session.get(f"{url}/api/v1/events", timeout=timeout) as response:
        _expect_ok(response)
        with Live(get_renderable=lambda: _table(known), auto_refresh=True, refresh_per_second=2):
            kind = ""
            async for line in response.content:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    kind = text.removeprefix("event: ")
                elif text.startswith("data: ") and kind in ("state", "removed"):
                    data = msgspec.json.decode(text.removeprefix("data: "))
                    if kind == "state":
                        known[data["room"]] = data
                    else:
                        known.pop(data["room"], None)
    raise _NoAnswer("the daemon has ended")


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)


def _table(known: dict[str, Any]) -> Table:
    """A line a room. A state that is past its `valid_until` is shown as unknown."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{len(known)} rooms")
    for heading in ("room", "where", "status", "until", "next", "note"):
        table.add_column(heading)
    moment = datetime.now(UTC)
    for room in sorted(
        known.values(), key=lambda r: (r.get("building") or "", r.get("floor") or "", r["name"])
    ):
        believed = datetime.fromisoformat(room["valid_until"]) > moment
        status = room["status"] if believed else "unknown"
        style = _STYLES.get(status, "")
        until = room["busy_until"] or room["free_until"] if believed else None
        following = room["next"]["start"] if believed and room["next"] else None
        note = room["reason"] or ("stale" if room["stale"] else "")
        where = " ".join(part for part in (room.get("building"), room.get("floor")) if part)
        # As text, for a string would be read as markup, and names may hold brackets.
        table.add_row(
            Text(room["name"]),
            Text(where),
            Text(f"{_SHAPES.get(status, ' ')} {status}", style),
            _local(until),
            _local(following),
            Text(note),
        )
    return table


def _local(moment: str | None) -> str:
    """The time on this machine's clock, with the day where it is another than today."""
    if moment is None:
        return ""
    local = datetime.fromisoformat(moment).astimezone()
    today = local.date() == datetime.now(UTC).astimezone().date()
    return f"{local:%H:%M}" if today else f"{local:%a %H:%M}"
