"""`placed rooms`: a live table of the rooms, from the status endpoint of a running daemon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from placed.cli.endpoint_files import read_ca, read_token
from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from placed.cli.room_filter import RoomFilter
    from placed.cli.room_stream import Access
    from placed.cli.room_table import View

_URL = "http://127.0.0.1:8620"


def rooms(  # noqa: PLR0913 - its options
    *,
    url: Annotated[str, typer.Option(help="The status endpoint of the daemon.", envvar="PLACED_URL")] = _URL,
    token_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="File with the bearer token, if the daemon requires one."),
    ] = None,
    ca_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="For https: the CA or the certificate, if this machine does not trust it.",
        ),
    ] = None,
    building: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Rooms in this building; can be repeated.")
    ] = None,
    floor: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Rooms on this floor; can be repeated.")
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD", help="free, starting, busy, pending, unknown; several separated by commas."
        ),
    ] = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD", help="used, booked_empty, unbooked, empty; several separated by commas."
        ),
    ] = None,
    free_for: Annotated[
        str | None, typer.Option(metavar="TIME", help="Free now and for this time: 45m, 2h.")
    ] = None,
    capacity: Annotated[
        int | None, typer.Option(min=0, help="Rooms with at least this number of seats.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Rooms with these words in name, building or floor.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the table once and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the status endpoint's JSON and end.")
    ] = False,
) -> None:
    """Show the rooms of a running daemon: a live table; Ctrl-C ends it.

    If the output is not a terminal, the table is printed once. While the daemon is down, all are unknown.
    """
    from rich.console import Console

    from placed.cli.live_terminal import is_live, until_interrupted
    from placed.cli.room_filter import RoomFilter
    from placed.cli.room_stream import Access, NoAnswer

    try:
        room_filter = RoomFilter.of(
            building=building or [],
            floor=floor or [],
            status=status or [],
            use=use or [],
            capacity=capacity,
            free_for=free_for,
            search=search,
        )
    except ValueError as error:
        option, problem = error.args
        raise typer.BadParameter(problem, param_hint=option) from None
    access = Access(read_token(token_file) if token_file else None, read_ca(ca_file) if ca_file else True)
    console = Console()
    address = url.rstrip("/")
    try:
        if as_json or once or not is_live(console):
            until_interrupted(_print(address, access, room_filter, console, as_json=as_json))
        else:
            until_interrupted(_follow(address, access, room_filter, console))
    except NoAnswer as error:
        typer.echo(f"placed: {url}: {error}", err=True)
        raise typer.Exit(ExitCode.FAILED) from None


async def _print(
    url: str, access: Access, room_filter: RoomFilter, console: Console, *, as_json: bool
) -> None:
    from placed.cli import room_stream
    from placed.cli.daemon_clock import DaemonClock
    from placed.cli.room_filter import RoomFilter, read_room
    from placed.cli.room_table import NO_MATCH, cells, summary, table
    from placed.domain.clock import SystemClock

    clock = DaemonClock(SystemClock())
    async with room_stream.session(access) as client:
        found, body = await room_stream.listing(client, url, clock)
    moment = clock.now()
    if as_json:
        typer.echo((body if room_filter == RoomFilter() else found.filtered(room_filter, moment)).decode())
        return
    known = [read_room(bytes(raw)) for raw in found.rooms]
    lines = [room.line(moment) for room in known if room_filter.matches(room, moment)]
    lines.sort(key=lambda line: line.order)
    shown = table([cells(line, moment) for line in lines], console.width)
    shown.title = summary(lines, len(known))
    console.print(shown)
    if known and not lines:
        console.print(NO_MATCH)


async def _follow(url: str, access: Access, room_filter: RoomFilter, console: Console) -> None:
    from placed.cli import room_stream
    from placed.cli.daemon_clock import DaemonClock
    from placed.cli.live_terminal import first_of, keep_drawn
    from placed.cli.room_table import changes_in, summary, view
    from placed.domain.clock import SystemClock

    clock = DaemonClock(SystemClock())
    changed = asyncio.Event()
    connected = asyncio.Event()

    def on_change() -> None:
        changed.set()
        connected.set()

    def draw(size: tuple[int, int]) -> tuple[View, float | None]:
        moment, lost = clock.now(), stream.lost
        found = [r for r in stream.rooms.values() if room_filter.matches(r, moment, lost=lost is not None)]
        note = "no connection" if lost is not None else None
        lines = sorted((room.line(moment, note) for room in found), key=lambda line: line.order)
        head = (summary(lines, len(stream.rooms)), "bold")
        if lost is not None:
            head = (f"{url}: {lost.removesuffix('; is it running?')}; trying again", "bold yellow")
        shown = view(lines, moment, head, size, filtered=bool(stream.rooms))
        changes = [room_filter.changes_in(room, moment) for room in stream.rooms.values()]
        changes.append(changes_in(lines[: len(shown.rows)], moment))
        return shown, min((seconds for seconds in changes if seconds is not None), default=None)

    async def drawing() -> None:
        await connected.wait()  # nothing is drawn before there are rooms to show
        await keep_drawn(console, draw, changed)

    async with room_stream.session(access) as client:
        stream = room_stream.RoomStream(client, url, on_change, clock)
        await first_of(stream.run(), drawing())
