"""Start a simulated CalDAV server by hand: `python -m placed_icalendar.simulator.caldav_host`.

It prints its address and, with `--write-config`, writes what a daemon needs to read it: `ca.pem`,
`placed-password` and `placed.toml`. It ends at Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed_icalendar.simulator.bookings.booking_store import BookingStore
from placed_icalendar.simulator.bookings.store_building import furnish, furnish_big, life
from placed_icalendar.simulator.caldav_host.caldav_demo import let_in
from placed_icalendar.simulator.caldav_host.dav_server import CalDavHost
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
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked for on the command line."""

    port: int
    scenario: Path | None
    write_config: Path | None
    rooms: int | None
    seed: int
    still: bool

    def store(self) -> BookingStore:
        """The calendars that these arguments describe."""
        store = BookingStore()
        if self.rooms is not None:
            furnish_big(store, self.rooms)
        else:
            furnish(store, load_scenario(self.scenario))
        return store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    asked = _parse(arguments)
    try:
        store = asked.store()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{asked.scenario}: {error}\n")
        return USAGE
    return run(_serve(store, asked))


async def _serve(store: BookingStore, asked: Arguments) -> None:
    stop = stop_at_signal()
    with folder_for(asked.write_config) as folder:
        async with CalDavHost(store, port=asked.port, directory=folder) as host:
            written = write_settings(folder, let_in(host, folder))
            print_line(f"simulated CalDAV server with {len(store.rooms())} rooms at {host.url}")
            print_line(f"play it: curl --cacert {host.ca_file} {host.url}/_control/calendars")
            print_line(written)
            if asked.still:
                await stop.wait()
            else:
                await until(stop, life(store, seed=asked.seed, report=print_line))


def _parse(arguments: Sequence[str] | None) -> Arguments:
    parser = parser_of(
        "python -m placed_icalendar.simulator.caldav_host",
        "A simulated CalDAV server with room calendars, over TLS on loopback.",
        written="where password and settings go",
    )
    return Arguments(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
