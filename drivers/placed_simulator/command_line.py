"""What the commands that start a simulated service share: arguments, settings, life until a signal."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

USAGE = 2
NOT_INSTALLED = "trustme is not installed; install the extra demo: pip install 'placed[demo]'\n"


def parser_of(prog: str, description: str, *, written: str) -> argparse.ArgumentParser:
    """Returns a parser of the arguments that all of them have; `written` is the help for --write-config."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; any free one by default")
    parser.add_argument("--scenario", type=Path, help="a building in TOML; one comes with the package")
    parser.add_argument("--write-config", type=Path, metavar="DIR", help=written)
    parser.add_argument("--rooms", type=int, help="a big building with so many rooms in place of a scenario")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other things happen")
    parser.add_argument("--still", action="store_true", help="nothing happens by itself")
    return parser


def run(service: Coroutine[object, object, None]) -> int:
    """Runs a service to its end; the exit code."""
    try:
        asyncio.run(service)
    except ModuleNotFoundError as error:
        if error.name != "trustme":
            raise
        sys.stderr.write(NOT_INSTALLED)
        return USAGE
    return 0


@contextmanager
def folder_for(write_config: Path | None) -> Iterator[Path]:
    """Gives the folder for what a daemon needs: the one that is named, else one that does not last."""
    with tempfile.TemporaryDirectory(prefix="placed-simulator-") as temporary:
        folder = (write_config or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def write_settings(folder: Path, settings: str) -> str:
    """Writes a daemon's `placed.toml`, and returns it for the terminal."""
    path = folder / "placed.toml"
    path.write_text(settings, encoding="utf-8")
    return f"settings of a daemon in {path}:\n\n{settings}"


def stop_at_signal() -> asyncio.Event:
    """Set at Ctrl-C or SIGTERM from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def until(stop: asyncio.Event, living: Coroutine[object, object, None]) -> None:
    """Lets a building live until the signal."""
    life = asyncio.create_task(living)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({life, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        life.cancel()
        stopping.cancel()
        results = await asyncio.gather(life, stopping, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def write_private(path: Path, content: bytes) -> None:
    """A file for its owner alone."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def print_line(line: str) -> None:
    """To the standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
