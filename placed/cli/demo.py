"""`placed demo`: everything at once, with nothing real: a simulated tenant, a broker, the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placed.cli.options import cannot_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

GROUP = (
    "placed.demos"  # entry points: (folder, rooms) -> async context manager that gives a connection as TOML
)
EXTRA = ("amqtt", "trustme")  # what the extra `demo` brings, beside what these bring
_INSTALL = (
    "install the extra demo: pip install 'placed[demo]' in a virtual environment, "
    "or run scripts/demo in a checkout"
)
_HOST = "127.0.0.1"
_FAREWELL = 1.0  # seconds for the broker to end


def demo(  # noqa: PLR0913 - its options
    http_port: Annotated[
        int | None, typer.Option(help="Port of the page. [dim]Default: 8620, or a free one[/dim]")
    ] = None,
    mqtt_port: Annotated[
        int | None, typer.Option(help="Port of the broker. [dim]Default: 1883, or a free one[/dim]")
    ] = None,
    rooms: Annotated[
        int | None,
        typer.Option(min=1, help="A big, quiet building of so many rooms in place of the lively one."),
    ] = None,
    interval: Annotated[str, typer.Option(help="How often the calendars are read.")] = "5s",
    show: Annotated[
        str, typer.Option(help="What of a meeting is told: nothing, organizer, title, everything.")
    ] = "nothing",
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not log every change of a room.")] = False,
) -> None:
    """Try it: a simulated tenant, an embedded broker and the daemon; no configuration, nothing real.

    When the first rooms are on the broker, one line tells where to look. Ctrl-C ends it.
    """
    import asyncio
    import logging
    import tempfile

    from placed import logs
    from placed.configuration import ConfigurationError
    from placed.errors import CannotStart

    logs.set_up(verbose=not quiet)
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="placed-demo-") as folder:
            asyncio.run(
                _demonstrate(
                    Path(folder),
                    http_port=_port("--http-port", http_port, 8620),
                    mqtt_port=_port("--mqtt-port", mqtt_port, 1883),
                    interval=interval,
                    show=show,
                    rooms=rooms,
                )
            )
    except (ConfigurationError, CannotStart) as error:
        raise cannot_start(error.problems) from None
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA:
            raise
        raise cannot_start([f"demo needs {package}, which is not installed; {_INSTALL}"]) from None


async def _demonstrate(  # noqa: PLR0913 - the options
    folder: Path, *, http_port: int, mqtt_port: int, interval: str, show: str, rooms: int | None
) -> None:
    import json
    from importlib.metadata import version

    from placed.cli.progress import first_round
    from placed.clock import SystemClock
    from placed.configuration import load
    from placed.daemon import Around
    from placed.journal import Journal
    from placed.service import serve
    from placed.supervisor import Supervisor

    supervisor = Supervisor(None)
    async with _tenant(folder, rooms) as connection, _broker(mqtt_port):
        file = folder / "placed.toml"
        file.write_text(
            f"{connection}\n"
            f"[polling]\ninterval = {json.dumps(interval)}\n"
            f"[privacy]\nshow = {json.dumps(show)}\n"
            f'[mqtt]\nurl = "mqtt://{_HOST}:{mqtt_port}"\nprotocol = "3.1.1"\n'
            f'[http]\nlisten = "{_HOST}:{http_port}"\n',
            "utf-8",
        )

        def announce(_daemon: object) -> None:
            typer.echo(
                f"placed demo: page http://{_HOST}:{http_port}/ | broker mqtt://{_HOST}:{mqtt_port} | "
                f"try: mosquitto_sub -h {_HOST} -p {mqtt_port} -v -t 'placed/#' | Ctrl-C ends it"
            )

        with first_round() as progress:
            around = Around(
                clock=SystemClock(),
                supervisor=supervisor,
                journal=Journal(folder),
                version=version("placed"),
                progress=progress,
                announce=announce,
            )
            await serve(load(file), lambda: load(file), around)


def _tenant(folder: Path, rooms: int | None) -> AbstractAsyncContextManager[str]:
    from importlib.metadata import entry_points

    found = next(iter(entry_points(group=GROUP)))
    made: AbstractAsyncContextManager[str] = found.load()(folder, rooms)
    return made


def _broker(port: int) -> AbstractAsyncContextManager[None]:
    import asyncio
    from contextlib import asynccontextmanager, suppress

    from amqtt.broker import Broker

    # amqtt speaks MQTT 3.1.1 only, so panels of the demo have to look at valid_until themselves.
    settings: dict[str, Any] = {
        "listeners": {"default": {"type": "tcp", "bind": f"{_HOST}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        broker = Broker(settings)
        await broker.start()
        try:
            yield
        finally:
            # From Python 3.12 on its shutdown also waits for clients, of which some never hang up.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await broker.shutdown()

    return running()


def _port(option: str, wanted: int | None, usual: int) -> int:
    """The port that was asked for; else the usual one; else, where that is taken, a free one."""
    import socket

    from placed.errors import CannotStart

    for port in [usual, 0] if wanted is None else [wanted]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise CannotStart(f"{option} {wanted}: it is in use; choose another, or leave it out for a free one")
