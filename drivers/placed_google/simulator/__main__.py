"""Start a simulated Workspace by hand: `python -m placed_google.simulator`.

It prints its addresses and, with `--write-config`, writes what a daemon needs to read it: `ca.pem`,
`placed-key.json` and `placed.toml`. An `--empty` one has rooms and people only: a reader has to play its
administrator first, through the control interface. It ends at Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed_google.simulator.scenario.daemon_access import let_in
from placed_google.simulator.scenario.workspace_building import build, building_of, life
from placed_google.simulator.server import Simulator
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

    from placed_google.simulator.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was asked for on the command line."""

    port: int
    scenario: Path | None
    write_config: Path | None
    rooms: int | None
    seed: int
    still: bool
    empty: bool

    def workspace(self) -> Workspace:
        """The Workspace that these arguments describe."""
        if self.rooms is not None:
            return building_of(self.rooms)
        return build(load_scenario(self.scenario))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    asked = _parse(arguments)
    try:
        workspace = asked.workspace()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{asked.scenario}: {error}\n")
        return USAGE
    return run(_serve(workspace, asked))


async def _serve(workspace: Workspace, asked: Arguments) -> None:
    stop = stop_at_signal()
    with folder_for(asked.write_config) as folder:
        async with Simulator(workspace, port=asked.port, directory=folder) as simulator:
            further = (
                _how_to_go_on(simulator) if asked.empty else write_settings(folder, let_in(simulator, folder))
            )
            rooms = len(workspace.rooms())
            print_line(f"simulated Workspace {workspace.domain} with {rooms} rooms at {simulator.url}")
            print_line(f"play it: curl --cacert {simulator.ca_file} {simulator.url}/_control/rooms")
            print_line(further)
            if asked.still:
                await stop.wait()
            else:
                await until(stop, life(workspace, seed=asked.seed, report=print_line))


def _how_to_go_on(simulator: Simulator) -> str:
    """What the administrator of an empty Workspace does, step by step."""
    return f"""
It has rooms and people, but no service account, and no calendar is shared with one. A daemon reaches it by

    key_file = "placed-key.json"
    customer = "{simulator.workspace.customer_id}"
    calendar_url = "{simulator.url}"
    directory_url = "{simulator.url}"
    ca_file = "{simulator.ca_file}"

What the kit's scripts do at Google, its administrator does here with curl:

    play() {{ curl -sS --cacert {simulator.ca_file} --json "$2" {simulator.url}/_control/$1; }}
    play accounts '{{"name":"placed"}}'    # returns the address
    play accounts/ADDRESS/keys '{{}}' > placed-key.json
    play 'calendars/*/rules' '{{"with":"ADDRESS","role":"reader"}}'
    play accounts/ADDRESS/directory-role '{{}}'    # for customer in place of rooms
"""


def _parse(arguments: Sequence[str] | None) -> Arguments:
    parser = parser_of(
        "python -m placed_google.simulator",
        "A simulated Google Workspace with room calendars, over TLS on loopback.",
        written="where to write key and settings",
    )
    parser.add_argument(
        "--empty", action="store_true", help="rooms and people, but no service account and nothing shared"
    )
    return Arguments(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
