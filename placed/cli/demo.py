"""`placed demo`: a simulated tenant, a broker and the daemon in one process."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placed.cli.options import cannot_start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from placed.domain.exit_errors import CannotStart
    from placed.runtime.daemon import Daemon

GROUP = (
    "placed.demos"  # entry points: (folder, rooms) -> async context manager that gives a connection as TOML
)
_DEFAULT = "default"  # the entry point for a call without --driver; the others have the names of drivers
EXTRA = ("amqtt", "trustme")  # the packages of the extra `demo`, without their dependencies
_INSTALL = (
    "install the extra demo: pip install 'placed[demo]' in a virtual environment, "
    "or run scripts/demo in a checkout"
)
_HOST = "127.0.0.1"
_HTTP_PORT = 8620
_LAST_PORT = 65535
_MQTT_PORT = 1883
_MQTT_OPTION = "--mqtt-port"
_ATTEMPTS = 3  # to find a port for the broker
_FAREWELL = 1.0  # seconds for the broker to end


def demo(  # noqa: PLR0913, PLR0917 - its options
    http_port: Annotated[
        int | None,
        typer.Option(min=0, max=_LAST_PORT, help="Port of the page. [dim]Default: 8620, or a free one[/dim]"),
    ] = None,
    mqtt_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=_LAST_PORT, help="Port of the broker. [dim]Default: 1883, or a free one[/dim]"
        ),
    ] = None,
    rooms: Annotated[
        int | None,
        typer.Option(min=1, help="Simulate a large building with this number of rooms and few changes."),
    ] = None,
    interval: Annotated[str, typer.Option(help="How often the calendars are read.")] = "5s",
    show: Annotated[
        str, typer.Option(help="Details of meetings to show: nothing, organizer, title, everything.")
    ] = "nothing",
    driver: Annotated[str | None, typer.Option(help="Simulate the calendar service of this driver.")] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where phones reach the page, for the QR codes on panels. [dim]Default: the page's own "
            "address, which opens on this machine only[/dim]",
        ),
    ] = None,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not log every change of a room.")] = False,
) -> None:
    """Try placed: a simulated tenant, an embedded broker and the daemon, without any configuration.

    When the first rooms are published, it prints one line with the addresses. Ctrl-C ends it.
    """
    import asyncio
    import logging
    import tempfile

    from placed.domain.exit_errors import CannotStart
    from placed.domain.problem import Problem
    from placed.runtime import logging as logs
    from placed.settings.loader import ConfigurationError

    logs.set_up(verbose=not quiet)
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # placed reports its failures
    try:
        with tempfile.TemporaryDirectory(prefix="placed-demo-") as folder:
            asyncio.run(
                _demonstrate(
                    Path(folder),
                    http_port=_http_port(http_port),
                    mqtt_port=mqtt_port,
                    interval=interval,
                    show=show,
                    public_url=public_url,
                    tenant=_tenant(driver, Path(folder), rooms),
                )
            )
    except (ConfigurationError, CannotStart) as error:
        raise cannot_start(error.problems) from None
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA:
            raise
        problem = Problem("", f"demo needs {package}, which is not installed", _INSTALL)
        raise cannot_start([problem]) from None


async def _demonstrate(  # noqa: PLR0913 - the options
    folder: Path,
    *,
    http_port: int,
    mqtt_port: int | None,
    interval: str,
    show: str,
    public_url: str | None,
    tenant: AbstractAsyncContextManager[str],
) -> None:
    import json
    from importlib.metadata import version

    from placed.cli.demo_panel_token import write_panel_token
    from placed.cli.demo_sensors import SETTINGS, simulated_sensors
    from placed.cli.first_round_progress import first_round
    from placed.domain.clock import SystemClock
    from placed.runtime.daemon import DaemonSurroundings
    from placed.runtime.signals import serve
    from placed.runtime.systemd import Supervisor
    from placed.settings.loader import load
    from placed.store import Journal

    file, panels = folder / "placed.toml", folder / "panels.toml"
    token = write_panel_token(panels)
    if public_url is None and http_port:  # the number of a free port is known when it listens, and too late
        public_url = f"http://{_HOST}:{http_port}/"
    codes = f"public_url = {json.dumps(public_url)}\n" if public_url is not None else ""

    def write(connection: str, broker: int) -> None:
        file.write_text(
            f"{connection}\n"
            f"[polling]\ninterval = {json.dumps(interval)}\n"
            f"[privacy]\nshow = {json.dumps(show)}\n"
            f'[mqtt]\nurl = "mqtt://{_HOST}:{broker}"\nprotocol = "3.1.1"\n'
            f'[http]\nlisten = "{_HOST}:{http_port}"\npanel_tokens = {json.dumps(str(panels))}\n'
            f"{codes}{SETTINGS}",
            "utf-8",
        )

    supervisor, clock = Supervisor(None), SystemClock()
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(tenant)
        write(connection, mqtt_port or _MQTT_PORT)
        load(file)  # an invalid option is reported before anything listens
        port = await _open_broker(stack, mqtt_port)
        write(connection, port)
        begin_sensors = await stack.enter_async_context(simulated_sensors(_HOST, port, clock.now))

        def announce(daemon: Daemon) -> None:
            assert daemon.server is not None  # noqa: S101 - the settings have it listen
            typer.echo(
                f"placed demo: page {daemon.server.url}/ | broker mqtt://{_HOST}:{port} | "
                f"try: mosquitto_sub -h {_HOST} -p {port} -v -t 'placed/#' | Ctrl-C ends it"
            )
            for room in daemon.board.rooms:
                if daemon.actions.offer(room.id) is not None:
                    link = f"{daemon.server.url}/rooms/{room.id}#token={token}"
                    typer.echo(f"placed demo: panel with buttons {link}")
            begin_sensors(lambda: daemon.board.statements)

        with first_round() as progress:
            surroundings = DaemonSurroundings(
                clock=clock,
                supervisor=supervisor,
                journal=Journal(folder),
                version=version("placed"),
                progress=progress,
                announce=announce,
            )
            await serve(load(file), lambda: load(file), surroundings)


async def _open_broker(stack: AsyncExitStack, wanted: int | None) -> int:
    """Starts the broker, and returns its port.

    Another program may take a free port before the broker listens. If no port was given, another one is
    tried.
    """
    from amqtt.errors import BrokerError

    for _ in range(_ATTEMPTS):
        port = _port(_MQTT_OPTION, wanted, _MQTT_PORT)
        try:
            await stack.enter_async_context(_broker(port))
        except BrokerError:
            continue
        return port
    raise _in_use(_MQTT_OPTION, port)


def _tenant(driver: str | None, folder: Path, rooms: int | None) -> AbstractAsyncContextManager[str]:
    """The simulated service of a driver, ready to start.

    Raises:
        CannotStart: no installed driver of that name has one.
    """
    from importlib.metadata import entry_points

    from placed.domain.exit_errors import CannotStart
    from placed.domain.problem import Problem

    found = entry_points(group=GROUP)
    names = sorted(found.names - {_DEFAULT})
    if driver is None:
        entry = found[_DEFAULT if _DEFAULT in found.names else names[0]]
    elif driver in names:
        entry = found[driver]
    else:
        text = "no installed driver of that name has a demonstration"
        raise CannotStart(Problem(f"--driver {driver}", text, f"choose one of: {', '.join(names)}"))
    made: AbstractAsyncContextManager[str] = entry.load()(folder, rooms)
    return made


def _broker(port: int) -> AbstractAsyncContextManager[None]:
    import asyncio
    from contextlib import asynccontextmanager, suppress

    from amqtt.broker import Broker

    # amqtt supports MQTT 3.1.1 only, so panels of the demo have to check valid_until themselves.
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
            # Since Python 3.12 its shutdown also waits for clients, and some never disconnect.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await broker.shutdown()

    return running()


def _http_port(wanted: int | None) -> int:
    """The port of the page; 0 where the endpoint takes a free one, so that no other program can be first."""
    port = _port("--http-port", wanted, _HTTP_PORT)
    return port if port in {wanted, _HTTP_PORT} else 0


def _port(option: str, wanted: int | None, usual: int) -> int:
    """The given port; else the default one; else, if that is in use, a free one."""
    import socket

    for port in [usual, 0] if wanted is None else [wanted]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise _in_use(option, wanted)


def _in_use(option: str, port: int | None) -> CannotStart:
    from placed.domain.exit_errors import CannotStart
    from placed.domain.problem import Problem

    remedy = "choose another, or omit the option for a free one"
    return CannotStart(Problem(f"{option} {port}", "it is in use", remedy))
