"""A login host and a Graph whose answers were made beforehand: python -m tests.benchmarks.servers.graph.

It looks at nothing of a request but its path, and of a batch at its first room; a batch is of twenty rooms
whose numbers follow each other. Twenty batches are made, over and over the same for all rooms, so that
fifty thousand rooms fit.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from placed_simulator.certificates import server_context
from tests.benchmarks.child_process import obey, report
from tests.benchmarks.processor_time import seconds_until_now, settle_on
from tests.benchmarks.servers import graph_responses

BATCH = 20
_DIFFERENT = 20  # batches
_FIRST_ROOM = re.compile(rb"/users/room(\d{5})")
_JSON = "application/json"


class Answers:
    """What is answered, and how often it was."""

    def __init__(self, rooms: int, plan: graph_responses.Plan) -> None:
        self.rooms = rooms
        self.plan = plan
        self.version = 0
        self.delay = 0.0  # seconds that every batch takes
        self.asked: Counter[str] = Counter()
        self._wanted = 0
        self._enough = asyncio.Event()  # so many batches were asked for
        self._caller = 0
        self._called: asyncio.Future[dict[str, float]] | None = None
        self._batches: dict[tuple[int, int], bytes] = {}
        self._views: dict[tuple[int, int], bytes] = {}
        self.prepare(0)

    def prepare(self, version: int) -> None:
        """Makes the answers of a version, and lets go of all but the one before."""
        self._batches = {key: body for key, body in self._batches.items() if key[1] == self.version}
        for place in range(min(_DIFFERENT, self.rooms // BATCH + 1)):
            rooms = range(place * BATCH, (place + 1) * BATCH)
            self._batches[place, version] = graph_responses.batch(rooms, version, self.plan)

    async def token(self, _request: web.Request) -> web.Response:
        """An access token."""
        self.asked["token"] += 1
        self._login_is_asked()
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": "aaa.bbb.ccc"})

    async def openid(self, request: web.Request) -> web.Response:
        """The login host's description of itself."""
        self._login_is_asked()
        base = f"{request.scheme}://{request.host}/{request.match_info['tenant']}"
        endpoints = {"authorization": "authorize", "token": "token"}
        return web.json_response(
            {
                **{f"{name}_endpoint": f"{base}/oauth2/v2.0/{path}" for name, path in endpoints.items()},
                "issuer": f"{base}/v2.0",
            }
        )

    async def batch(self, request: web.Request) -> web.Response:
        """Twenty rooms."""
        body = await request.read()
        self.asked["batch"] += 1
        if self.asked["batch"] == self._wanted:
            self._enough.set()
        found = _FIRST_ROOM.search(body)
        if found is None:
            raise web.HTTPBadRequest
        if self.delay:
            await asyncio.sleep(self.delay)
        place = int(found[1]) // BATCH % _DIFFERENT
        return web.Response(body=self._batches[place, self.version], content_type=_JSON)

    async def view(self, request: web.Request) -> web.Response:
        """One room, for those who ask one by one."""
        self.asked["view"] += 1
        found = _FIRST_ROOM.search(request.path.encode())
        if found is None:
            raise web.HTTPForbidden
        key = int(found[1]) % (_DIFFERENT * BATCH), self.version
        if key not in self._views:
            self._views[key] = graph_responses.view(*key, self.plan)
        return web.Response(body=self._views[key], content_type=_JSON)

    def _login_is_asked(self) -> None:
        if self._called is not None and not self._called.done():
            self._called.set_result({"at": time.time(), "cpu": seconds_until_now(self._caller)})

    async def call(self, pid: int) -> dict[str, float]:
        """Waits until the login host is asked; when that is, and what the process had spent by then."""
        self._caller, self._called = pid, asyncio.get_running_loop().create_future()
        return await self._called

    async def batches(self, number: int) -> None:
        """Waits until so many more have been asked for."""
        self._enough.clear()
        self._wanted = self.asked["batch"] + number
        await self._enough.wait()

    async def places(self, request: web.Request) -> web.Response:
        """A page of all rooms of the tenant, with the address of the next one."""
        self.asked["places"] += 1
        first = int(request.query.get("$skip", 0))
        after = min(first + int(request.query["$top"]), self.rooms)
        page = graph_responses.places(range(first, after))
        if after < self.rooms:
            page["@odata.nextLink"] = str(request.url.update_query({"$skip": after}))
        return web.json_response(page)

    async def obey(self, command: dict[str, Any]) -> Any:
        """What the measure wants."""
        match command["command"]:
            case "version":
                self.prepare(command["version"])
                self.version = command["version"]
            case "delay":
                self.delay = command["seconds"]
            case "call":
                return await self.call(command["pid"])
            case "batches":
                await self.batches(command["number"])
            case "asked":
                return dict(self.asked)
        return None


async def serve(answers: Answers) -> None:
    """Answers until its standard input ends."""
    app = web.Application(client_max_size=2**22)
    app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", answers.openid)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", answers.token)
    app.router.add_post("/v1.0/$batch", answers.batch)
    app.router.add_get("/v1.0/users/{mailbox}/calendarView", answers.view)
    app.router.add_get("/v1.0/users/{mailbox}/calendar/calendarView", answers.view)
    app.router.add_get("/v1.0/places/microsoft.graph.room", answers.places)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder, "ca.pem")
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(ca_file))
        await site.start()
        report({"url": f"https://localhost:{runner.addresses[0][1]}", "ca_file": str(ca_file)})
        await obey(answers.obey)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="A Graph whose answers were made beforehand.")
    parser.add_argument("--rooms", type=int, default=5500)
    parser.add_argument(
        "--meetings",
        type=int,
        nargs=3,
        default=graph_responses.USUAL.meetings,
        help="yesterday, today, tomorrow",
    )
    parser.add_argument("--today", type=datetime.fromisoformat, default=graph_responses.TODAY)
    given = parser.parse_args()
    settle_on(1)
    asyncio.run(serve(Answers(given.rooms, graph_responses.Plan(given.today, tuple(given.meetings)))))


if __name__ == "__main__":
    main()
