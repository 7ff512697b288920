"""Start a simulated tenant by hand: `python -m placed_microsoft365.simulator`.

It prints its addresses and, with `--write-config`, writes what a daemon needs to read it: `ca.pem`,
`client.pem`, `client_secret` and `placed.toml`. An `--empty` tenant has rooms and people only: a reader has
to play its administrator first, through the control interface. It ends at Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.client_certificate import make_client_certificate
from placed_microsoft365.simulator.connection_settings import fence_toml
from placed_microsoft365.simulator.scenario.building_loader import build, building_of
from placed_microsoft365.simulator.scenario.random_calendar_changes import life
from placed_microsoft365.simulator.server import Simulator
from placed_simulator.building_file import load_scenario
from placed_simulator.command_line import (
    USAGE,
    folder_for,
    parser_of,
    print_line,
    run,
    stop_at_signal,
    until,
    write_private,
    write_settings,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from pathlib import Path

    from placed_microsoft365.simulator.tenant.tenant import Tenant

SECRET = "simulated-secret"  # noqa: S105 - of a tenant that does not exist
ROLES = ("Calendars.Read", "GroupMember.Read.All", "Place.Read.All")


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

    def tenant(self) -> Tenant:
        """The tenant that these arguments describe."""
        groups = not self.empty
        if self.rooms is not None:
            return building_of(self.rooms, groups=groups)
        return build(load_scenario(self.scenario), groups=groups)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    asked = _parse(arguments)
    try:
        tenant = asked.tenant()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{asked.scenario}: {error}\n")
        return USAGE
    return run(_serve(tenant, asked))


async def _serve(tenant: Tenant, asked: Arguments) -> None:
    stop = stop_at_signal()
    with folder_for(asked.write_config) as folder:
        async with Simulator(tenant, port=asked.port, directory=folder) as simulator:
            further = _how_to_go_on(simulator) if asked.empty else _let_in(simulator, folder)
            print_line(
                f"simulated tenant {tenant.domain} with {len(tenant.rooms())} rooms at {simulator.url}"
            )
            print_line(f"play it: curl --cacert {simulator.ca_file} {simulator.url}/_control/rooms")
            print_line(further)
            await _live(tenant, asked, stop)


def _let_in(simulator: Simulator, folder: Path) -> str:
    """Does what an administrator would for a daemon, writes what the daemon needs, and prints it."""
    tenant = simulator.tenant
    certificate = make_client_certificate()
    app = tenant.register_app(secrets=[SECRET], certificates=[certificate], roles=ROLES)
    group = next(group for group in tenant.groups.values() if not group.room_list)
    tenant.restrict(app, group)
    canaries = [mailbox.address for mailbox in tenant.mailboxes.values() if mailbox.room is None]
    write_private(folder / "client.pem", certificate)
    write_private(folder / "client_secret", SECRET.encode())
    settings = simulator.settings_toml(app, certificate=folder / "client.pem", room_group=group.address)
    settings += fence_toml("access-policy", canaries)
    return write_settings(folder, settings)


def _how_to_go_on(simulator: Simulator) -> str:
    """What the administrator of an empty tenant does, step by step."""
    tenant = simulator.tenant
    room = next((room.address for room in tenant.rooms()), "…")
    return f"""
It has rooms and people, but no app, no group, no fence and no consent. A daemon reaches it by

    tenant = "{tenant.domain}"
    authority = "{simulator.url}"
    graph = "{simulator.url}"
    ca_file = "{simulator.ca_file}"

What the kit's scripts do at a real tenant, its administrator does here with curl:

    play() {{ curl -sS --cacert {simulator.ca_file} --json "$2" {simulator.url}/_control/$1; }}
    play apps '{{"name":"placed","redirect_uris":["http://localhost/"]}}'    # returns the client_id
    play apps/CLIENT_ID/manifest @manifest.json
    jq -Rs '{{pem:.}}' certificate.pem | play apps/CLIENT_ID/certificates @-
    play groups '{{"group":"placed-rooms","members":["{room}"]}}'
    play apps/CLIENT_ID/access-policies '{{"right":"RestrictAccess","group":"placed-rooms"}}'
    play apps/CLIENT_ID/role-assignments '{{"group":"placed-rooms"}}'    # in place of the access policy
    play apps/CLIENT_ID/consent '{{}}'    # or at the page that `placed consent` opens
"""


async def _live(tenant: Tenant, asked: Arguments, stop: asyncio.Event) -> None:
    """Until the signal; a still building changes only through the control interface."""
    if asked.still:
        await stop.wait()
        return
    await until(stop, life(tenant, seed=asked.seed, report=print_line))


def _parse(arguments: Sequence[str] | None) -> Arguments:
    parser = parser_of(
        "python -m placed_microsoft365.simulator",
        "A simulated Microsoft 365 tenant with room calendars, over TLS on loopback.",
        written="where to write keys and settings",
    )
    parser.add_argument(
        "--empty", action="store_true", help="rooms and people, but no app, no group, no fence, no consent"
    )
    return Arguments(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
