"""Start a simulated host of feeds by hand: `python -m placed_icalendar.simulator`.

It prints its address and, with `--write-config`, writes what a daemon needs to read it: `ca.pem`, a file with
the link of each room, and `placed.toml`. `--feeds` publishes the `.ics` files of a folder as well, each as a
room by its name; with `--played` their dates are moved, so that the week of that day is this week. It ends at
Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host.feed_building import build, building_of, life, settings_toml
from placed_icalendar.simulator.feed_host.feed_server import FeedHost
from placed_simulator.building_file import load_scenario
from placed_simulator.command_line import (
    USAGE,
    folder_for,
    parser_of,
    print_line,
    run,
    stop_at_signal,
    until,
    write_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_icalendar.simulator.feed_host.publisher import Publisher


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked for on the command line."""

    port: int
    scenario: Path | None
    write_config: Path | None
    rooms: int | None
    feeds: Path | None
    played: date | None
    seed: int
    still: bool

    def publisher(self) -> Publisher:
        """The publisher that these arguments describe."""
        made = building_of(self.rooms) if self.rooms is not None else build(load_scenario(self.scenario))
        for path in sorted(self.feeds.glob("*.ics")) if self.feeds is not None else ():
            text = path.read_bytes().decode("utf-8", "replace")
            if self.played is None:
                made.add_room(path.stem, text=text)
            else:
                made.add_text(path.stem, text, self.played)
        return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    asked = _parse(arguments)
    try:
        publisher = asked.publisher()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{asked.scenario or asked.feeds}: {error}\n")
        return USAGE
    return run(_serve(publisher, asked))


async def _serve(publisher: Publisher, asked: Arguments) -> None:
    stop = stop_at_signal()
    with folder_for(asked.write_config) as folder:
        async with FeedHost(publisher, port=asked.port, directory=folder) as host:
            written = write_settings(folder, settings_toml(host, folder))
            print_line(f"simulated publisher with {len(publisher.rooms())} rooms at {host.url}")
            print_line(f"play it: curl --cacert {host.ca_file} {host.url}/_control/rooms")
            print_line(written)
            if asked.still:
                await stop.wait()
            else:
                await until(stop, life(publisher, seed=asked.seed, report=print_line))


def _parse(arguments: Sequence[str] | None) -> Arguments:
    parser = parser_of(
        "python -m placed_icalendar.simulator",
        "A simulated publisher of room calendars as feeds, over TLS on loopback.",
        written="where to write links and settings",
    )
    parser.add_argument("--feeds", type=Path, metavar="DIR", help="a folder of .ics files to publish as well")
    parser.add_argument(
        "--played", type=date.fromisoformat, metavar="DAY", help="a day of the week that is to be this week"
    )
    return Arguments(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
