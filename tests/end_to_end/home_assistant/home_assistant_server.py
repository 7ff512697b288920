"""A real Home Assistant on loopback, connected to a broker, and asked as its own pages ask it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import jwt

from tests.end_to_end.home_assistant.installation import python
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

# Nothing is set up but what the configuration names: no frontend, no database, no search of the network.
_LAUNCH = """
import sys
from homeassistant import bootstrap
bootstrap.DEFAULT_INTEGRATIONS = bootstrap.CRITICAL_INTEGRATIONS = set()
from homeassistant.__main__ import main
sys.exit(main())
"""
_KEY = "k" * 64
_CONFIGURATION = """
homeassistant:
  time_zone: UTC
http:
  server_host: {host}
  server_port: {port}
api:
websocket_api:
config:
"""
_STARTED = "Now listening on port"
_START = 90.0  # seconds, where much else runs beside it


class HomeAssistant:
    """One installation, from its folder; it may be started more than once."""

    def __init__(self, folder: Path, broker: int) -> None:
        self.port = free_port()
        self.log: list[str] = []
        self.states: dict[str, dict[str, Any]] = {}
        self._folder = folder
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Condition()
        self._changes = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._prepare(broker)

    # --- what it shows ---

    def state(self, entity: str) -> str | None:
        """The state of an entity; None if there is no such entity."""
        found = self.states.get(entity)
        return found["state"] if found else None

    async def until(self, wanted: Callable[[], object], within: float = DEADLINE) -> None:
        """Waits until its states are as wanted."""
        try:
            async with asyncio.timeout(within), self._changed:
                await self._changed.wait_for(lambda: bool(wanted()))
        except TimeoutError:
            shown = {entity: state["state"] for entity, state in self.states.items()}
            reported = "\n".join(line for line in self.log if "WARNING" in line or "ERROR" in line)
            raise AssertionError(f"{shown}\n{reported}") from None

    async def becomes(self, entity: str, *states: str, within: float = DEADLINE) -> None:
        """Waits until an entity has one of these states."""
        await self.until(lambda: self.state(entity) in states, within)

    async def devices(self) -> dict[str, dict[str, Any]]:
        """All devices, by name."""
        return {device["name"]: device for device in await self.ask("config/device_registry/list")}

    async def shows(self, *devices: str) -> None:
        """Waits until it has these devices, and no others."""
        async with asyncio.timeout(DEADLINE):
            before = self._changes
            while set(await self.devices()) != set(devices):
                async with self._changed:
                    while self._changes == before:
                        await self._changed.wait()
                    before = self._changes

    async def entities(self) -> dict[str, dict[str, Any]]:
        """All entities of MQTT, as registered, by id."""
        registered = await self.ask("config/entity_registry/list")
        return {entity["entity_id"]: entity for entity in registered if entity["platform"] == "mqtt"}

    async def areas(self) -> dict[str, str]:
        """The names of areas, by their ids."""
        return {area["area_id"]: area["name"] for area in await self.ask("config/area_registry/list")}

    async def ask(self, command: str, **more: Any) -> Any:
        """A command of its websocket."""
        assert self._socket is not None
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "type": command, **more})
        async with asyncio.timeout(DEADLINE):
            return await answer

    # --- its life ---

    @asynccontextmanager
    async def running(self, *, last: bool = True) -> AsyncIterator[None]:
        """It has started, and its states are followed; at the end it is stopped.

        Orderly, so that it knows what it knew when it is started again, unless this is its `last` life.
        """
        self.states.clear()
        process = await asyncio.create_subprocess_exec(
            python(),
            "-c",
            _LAUNCH,
            "--config",
            self._folder,
            "--skip-pip",
            "--verbose",
            "--log-no-color",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._folder)},
        )
        assert process.stderr is not None
        listening = asyncio.Event()
        reading = asyncio.create_task(self._read(process.stderr, listening))
        try:
            async with asyncio.timeout(_START):
                await listening.wait()
            if reading.done():
                raise AssertionError("\n".join(["Home Assistant has ended", *self.log[-30:]]))
            async with self._following():
                yield
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL if last else signal.SIGTERM)
            await process.wait()
            await reading

    @asynccontextmanager
    async def _following(self) -> AsyncIterator[None]:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{HOST}:{self.port}/api/websocket") as socket,
        ):
            assert (await socket.receive_json())["type"] == "auth_required"
            await socket.send_json({"type": "auth", "access_token": _token()})
            assert (await socket.receive_json())["type"] == "auth_ok"
            self._socket = socket
            hearing = asyncio.create_task(self._hear(socket))
            try:
                for event in ("state_changed", "device_registry_updated"):
                    await self.ask("subscribe_events", event_type=event)
                for state in await self.ask("get_states"):
                    self.states.setdefault(state["entity_id"], state)
                yield
            finally:
                hearing.cancel()
                await asyncio.wait([hearing])
                self._socket = None

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for packet in socket:
            message = json.loads(packet.data)
            if message["type"] == "result":
                answer = self._answers.pop(message["id"])
                if message["success"]:
                    answer.set_result(message["result"])
                else:
                    answer.set_exception(AssertionError(message["error"]))
            elif message["type"] == "event":
                async with self._changed:
                    self._changes += 1
                    self._note(message["event"])
                    self._changed.notify_all()

    def _note(self, event: dict[str, Any]) -> None:
        data = event["data"]
        if event["event_type"] != "state_changed":
            return
        if data["new_state"] is None:
            self.states.pop(data["entity_id"], None)
        else:
            self.states[data["entity_id"]] = data["new_state"]

    async def _read(self, stream: asyncio.StreamReader, listening: asyncio.Event) -> None:
        async for line in stream:
            self.log.append(line.decode(errors="replace").rstrip())
            if _STARTED in self.log[-1]:
                listening.set()
        listening.set()

    # --- its folder ---

    def _prepare(self, broker: int) -> None:
        """As after its first start, an owner's account, and MQTT set up on its page."""
        storage = self._folder / ".storage"
        storage.mkdir(parents=True)
        (self._folder / "configuration.yaml").write_text(_CONFIGURATION.format(host=HOST, port=self.port))
        owner = {
            "id": "owner",
            "group_ids": ["system-admin"],
            "is_owner": True,
            "is_active": True,
            "name": "Owner",
            "system_generated": False,
            "local_only": False,
        }
        token = {
            "id": "token",
            "user_id": "owner",
            "client_id": None,
            "client_name": "tests",
            "client_icon": None,
            "token_type": "long_lived_access_token",
            "created_at": "2024-01-01T00:00:00+00:00",
            "access_token_expiration": 86400.0 * 3650,
            "token": "t" * 64,
            "jwt_key": _KEY,
            "last_used_at": None,
            "last_used_ip": None,
            "expire_at": None,
            "credential_id": None,
            "version": None,
        }
        groups = [{"id": f"system-{name}", "name": name} for name in ("admin", "users", "read-only")]
        _store(storage / "auth", users=[owner], groups=groups, credentials=[], refresh_tokens=[token])
        mqtt = {
            "entry_id": "mqtt",
            "version": 1,
            "minor_version": 1,
            "domain": "mqtt",
            "title": "MQTT",
            "data": {"broker": HOST, "port": broker},
            "options": {},
            "pref_disable_new_entities": False,
            "pref_disable_polling": False,
            "source": "user",
            "unique_id": None,
            "disabled_by": None,
        }
        _store(storage / "core.config_entries", entries=[mqtt])


def _store(path: Path, **data: Any) -> None:
    path.write_text(json.dumps({"version": 1, "minor_version": 1, "key": path.name, "data": data}))


def _token() -> str:
    now = int(time.time())
    return jwt.encode({"iss": "token", "iat": now, "exp": now + 86400}, _KEY, algorithm="HS256")
