"""The settings of the daemon in a world of faults: connections with their registrations, and the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed_microsoft365.simulator import fence_toml
from placed_microsoft365.simulator.tenant.app_access import LONG_AGO, AccessPolicy
from tests.fault_injection.panel_hands import ROOMS as ACTING_ROOMS
from tests.fault_injection.panel_hands import action_tables, panel_tokens
from tests.fault_injection.secrecy_oracle import SECRET
from tests.fault_injection.workspace_bookings import ACTING as GOOGLE_ACTING
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from placed_microsoft365.simulator import App, Simulator
    from tests.fault_injection.daemon_pace import Pace

ZONE = ZoneInfo("Europe/Berlin")
CANARY = "ada@contoso.example"
ROLES = ("Calendars.Read", "GroupMember.Read.All")


class DaemonSettings:
    """What the daemon is configured with.

    Args:
        folder: for the file, and for secrets.
        pace: its intervals.
        simulator: the tenant, and where it is reached.
        show: what may be shown of meetings.

    Attributes:
        tables: of connections and brokers of sensors, as TOML.
    """

    def __init__(self, folder: Path, pace: Pace, simulator: Simulator, show: str) -> None:
        self._folder = folder
        self._pace = pace
        self._simulator = simulator
        self._show = show
        self._http: dict[str, str] = {}
        self.tables: list[str] = []

    def connect(
        self, name: str, group: str, *, room_group: str | None = None, rooms: Iterable[str] = ()
    ) -> App:
        """Adds a connection with a registration of its own, which may read the members of a group."""
        secret = self._secret(name)
        tenant = self._simulator.tenant
        app = tenant.register_app(secrets=[secret.read_text()], roles=ROLES)
        app.policies = [AccessPolicy("RestrictAccess", tenant.address(group), LONG_AGO)]  # whatever the clock
        table = self._simulator.settings_toml(
            app,
            name=name,
            client_secret_file=secret,
            rooms=rooms,
            room_group=room_group,
            time_zone=ZONE.key,
        )
        self.tables.append(table + fence_toml("access-policy", [CANARY]))
        return app

    def connect_acting(self) -> tuple[App, App]:
        """Adds a connection whose bookings panels may change; returns its registrations: reading, writing."""
        tenant = self._simulator.tenant
        tenant.add_group("acting-rooms", members=ACTING_ROOMS)
        reading = self.connect(
            "acting", "acting-rooms", rooms=[tenant.address(room) for room in ACTING_ROOMS]
        )
        secret = self._secret("hands")
        writing = tenant.register_app(secrets=[secret.read_text()], roles=("Calendars.ReadWrite",))
        writing.policies = [AccessPolicy("RestrictAccess", tenant.address("acting-rooms"), LONG_AGO)]
        self.tables[-1] += action_tables(writing.client_id, secret)
        tokens = self._folder / "panel-tokens.toml"
        tokens.write_text(panel_tokens(ACTING_ROOMS + GOOGLE_ACTING.all))
        tokens.chmod(0o600)
        self._http = {"panel_tokens": str(tokens)}
        return reading, writing

    def write(self, name: str, *, endpoint: int, broker: int) -> Path:
        """Writes the file of a daemon with these ports; returns its path."""
        pace = self._pace
        tables = {
            "polling": {"interval": f"{pace.interval}s", "rediscover": f"{pace.rediscover}s"},
            "occupancy": {
                "lead": f"{pace.lead}s",
                "stale_after": f"{pace.stale_after}s",
                "expire_after": f"{pace.expire_after}s",
            },
            "mqtt": {"url": f"mqtt://localhost:{broker}"},
            "privacy": {"show": self._show},
            "http": {"listen": f"{HOST}:{endpoint}", **self._http},
        }
        file = self._folder / f"{name}.toml"
        file.write_text("\n".join([*self.tables, *_toml(tables)]))
        return file

    def _secret(self, name: str) -> Path:
        file = self._folder / f"{name}.secret"
        file.write_text(f"{SECRET}{name}")
        file.chmod(0o600)
        return file


def _toml(tables: dict[str, dict[str, str]]) -> Iterator[str]:
    for name, table in tables.items():
        yield f"[{name}]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in table.items())
