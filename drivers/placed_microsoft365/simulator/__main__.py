"""Start a simulated tenant by hand: `python -m placed_microsoft365.simulator`.

It prints its addresses and, with `--write-config`, writes what a daemon needs to read it: `ca.pem`,
`client.pem`, `client_secret` and `placed.toml`. An `--empty` tenant has rooms and people only: a reader has
to play its administrator first, through the control interface. It ends at Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.certificates import make_client_certificate
from placed_microsoft365.simulator.connection_settings import fence_toml
from placed_microsoft365.simulator.scenario.building_loader import build, building_of, load_scenario
from placed_microsoft365.simulator.scenario.random_calendar_changes import life
from placed_microsoft365.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.simulator.tenant.tenant import Tenant

SECRET = "simulated-secret"  # noqa: S105 - of a tenant that does not exist
ROLES = ("Calendars.Read", "GroupMember.Read.All", "Place.Read.All")
USAGE = 2


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
    try:
        asyncio.run(_serve(tenant, asked))
    except ModuleNotFoundError as error:
        if error.name != "trustme":
            raise
        sys.stderr.write("trustme is not installed; install the extra demo: pip install 'placed[demo]'\n")
        return USAGE
    return 0


async def _serve(tenant: Tenant, asked: Arguments) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="placed-simulator-") as temporary:
        folder = (asked.write_config or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        async with Simulator(tenant, port=asked.port, directory=folder) as simulator:
            further = _how_to_go_on(simulator) if asked.empty else _let_in(simulator, folder)
            _print(f"simulated tenant {tenant.domain} with {len(tenant.rooms())} rooms at {simulator.url}")
            _print(f"play it: curl --cacert {simulator.ca_file} {simulator.url}/_control/rooms")
            _print(further)
            await _live(tenant, asked, stop)


def _let_in(simulator: Simulator, folder: Path) -> str:
    """Does what an administrator would for a daemon, writes what the daemon needs, and prints it."""
    tenant = simulator.tenant
    certificate = make_client_certificate()
    app = tenant.register_app(secrets=[SECRET], certificates=[certificate], roles=ROLES)
    group = next(group for group in tenant.groups.values() if not group.room_list)
    tenant.restrict(app, group)
    canaries = [mailbox.address for mailbox in tenant.mailboxes.values() if mailbox.room is None]
    _write_private(folder / "client.pem", certificate)
    _write_private(folder / "client_secret", SECRET.encode())
    settings = simulator.settings_toml(app, certificate=folder / "client.pem", room_group=group.address)
    settings += fence_toml("access-policy", canaries)
    (folder / "placed.toml").write_text(settings, encoding="utf-8")
    return f"settings of a daemon in {folder / 'placed.toml'}:\n\n{settings}"


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
    living = asyncio.create_task(life(tenant, seed=asked.seed, report=_print))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        living.cancel()
        stopping.cancel()
        results = await asyncio.gather(living, stopping, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parse(arguments: Sequence[str] | None) -> Arguments:
    parser = argparse.ArgumentParser(
        prog="python -m placed_microsoft365.simulator",
        description="A simulated Microsoft 365 tenant with room calendars, over TLS on loopback.",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; any free one by default")
    parser.add_argument("--scenario", type=Path, help="a building in TOML; one comes with the package")
    parser.add_argument("--write-config", type=Path, metavar="DIR", help="where to write keys and settings")
    parser.add_argument("--rooms", type=int, help="a big building with so many rooms in place of a scenario")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other things happen")
    parser.add_argument("--still", action="store_true", help="nothing happens by itself")
    parser.add_argument(
        "--empty", action="store_true", help="rooms and people, but no app, no group, no fence, no consent"
    )
    return Arguments(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
