"""A building for the box: a simulated tenant, its broker's port, and the configuration that knows both."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final, Self

from placed_microsoft365.simulator import ConnectionSettings, Simulator, Tenant, make_client_certificate
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.systemd.systemd_service import Service

CLIENT_SECRET: Final = "hush-client-secret"
BROKER_PASSWORD: Final = "hush-broker-password"
ORGANIZER: Final = "Ada Example"
ROOMS: Final = ("boardroom", "library")


@dataclass(frozen=True, slots=True)
class Building:
    """Two rooms, one of them taken; and what an administrator writes down about them."""

    simulator: Simulator
    by_secret: str
    by_certificate: str
    certificate: bytes
    broker_port: int

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """A building whose tenant answers until the end of the block."""
        certificate = make_client_certificate(key_size=2048)
        tenant = Tenant()
        for room in ROOMS:
            tenant.add_room(room, name=room.title())
        now = tenant.now()
        tenant.book(ROOMS[0], now - timedelta(hours=1), now + timedelta(hours=1), organizer=ORGANIZER)
        app = tenant.register_app(
            secrets=[CLIENT_SECRET], certificates=[certificate], roles={"Calendars.Read"}
        )
        with _served(Simulator(tenant)) as simulator:
            settings = ConnectionSettings(
                name="contoso",
                tenant=tenant.domain,
                client_id=app.client_id,
                host=simulator.url,
                ca_file=Path("/etc/placed/ca.pem"),
                rooms=tuple(tenant.address(room) for room in ROOMS),
            )
            secret = Path("$CREDENTIALS_DIRECTORY/secrets_client-secret")
            yield cls(
                simulator=simulator,
                by_secret=replace(settings, client_secret_file=secret).toml(),
                by_certificate=replace(
                    settings, certificate=Path("$CREDENTIALS_DIRECTORY/contoso.pem")
                ).toml(),
                certificate=certificate,
                broker_port=free_port(),
            )

    def furnish(self, service: Service) -> None:
        """Write the configuration that systemd/README.md recommends: secrets apart, for root's eyes only."""
        service.write("/etc/placed/placed.toml", self.configuration(self.by_secret, login=True))
        service.write("/etc/placed/ca.pem", self.simulator.ca_file.read_bytes())
        service.write("/etc/placed/secrets/client-secret", CLIENT_SECRET, mode=0o600)
        service.write("/etc/placed/secrets/mqtt", BROKER_PASSWORD, mode=0o600)

    def configuration(self, connection: str, *, login: bool) -> str:
        """The text of `placed.toml`."""
        password = 'username = "placed"\npassword_file = "$CREDENTIALS_DIRECTORY/secrets_mqtt"\n'
        return f"""{connection}
[mqtt]
url = "mqtt://127.0.0.1:{self.broker_port}"
{password if login else ""}
[http]
listen = "127.0.0.1:0"
"""


@contextmanager
def _served(simulator: Simulator) -> Iterator[Simulator]:
    """Serve in a thread: the tests wait for `systemctl`, and the tenant has to answer meanwhile."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(simulator.__aenter__(), loop).result(DEADLINE)
        yield simulator
        asyncio.run_coroutine_threadsafe(simulator.__aexit__(None, None, None), loop).result(DEADLINE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
