"""Start a simulated tenant by hand: `python -m placed_microsoft365.simulator`.

It prints its addresses and, with `--write-config`, writes what a daemon needs to read it: `ca.pem`,
`client.pem`, `client_secret` and `placed.toml`. It ends at Ctrl-C or SIGTERM.
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
from placed_microsoft365.simulator.configuration import fence_toml
from placed_microsoft365.simulator.life import life
from placed_microsoft365.simulator.scenario import build, building_of, load_scenario
from placed_microsoft365.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.simulator.tenant import Tenant

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

    def tenant(self) -> Tenant:
        """The tenant that these arguments describe."""
        return build(load_scenario(self.scenario)) if self.rooms is None else building_of(self.rooms)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal comes; the exit code."""
    asked = _parse(arguments)
    try:
        tenant = asked.tenant()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{asked.scenario}: {error}\n")
        return USAGE
    asyncio.run(_serve(tenant, asked))
    return 0


async def _serve(tenant: Tenant, asked: Arguments) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="placed-simulator-") as temporary:
        folder = (asked.write_config or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        certificate = make_client_certificate()
        app = tenant.register_app(secrets=[SECRET], certificates=[certificate], roles=ROLES)
        group = next(group for group in tenant.groups.values() if not group.room_list)
        tenant.restrict(app, group)
        canaries = [mailbox.address for mailbox in tenant.mailboxes.values() if mailbox.room is None]
        async with Simulator(tenant, port=asked.port, directory=folder) as simulator:
            _write_private(folder / "client.pem", certificate)
            _write_private(folder / "client_secret", SECRET.encode())
            settings = simulator.settings_toml(
                app, certificate=folder / "client.pem", room_group=group.address
            )
            settings += fence_toml("access-policy", canaries)
            (folder / "placed.toml").write_text(settings, encoding="utf-8")
            _say(f"simulated tenant {tenant.domain} with {len(tenant.rooms())} rooms at {simulator.url}")
            _say(f"play it: curl --cacert {simulator.ca_file} {simulator.url}/_control/rooms")
            _say(f"settings of a daemon in {folder / 'placed.toml'}:\n\n{settings}")
            await _live(tenant, asked, stop)


async def _live(tenant: Tenant, asked: Arguments, stop: asyncio.Event) -> None:
    """Until the signal; a still building changes only by what the control interface is told."""
    if asked.still:
        await stop.wait()
        return
    living = asyncio.create_task(life(tenant, seed=asked.seed, tell=_say))
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


def _say(line: str) -> None:
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
    found = parser.parse_args(arguments)
    return Arguments(found.port, found.scenario, found.write_config, found.rooms, found.seed, found.still)


if __name__ == "__main__":
    sys.exit(main())
