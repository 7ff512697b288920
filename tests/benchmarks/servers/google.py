"""A Google Calendar with answers made beforehand: python -m tests.benchmarks.servers.google.

It looks at nothing of a request but the first room of a batch, which is of fifty rooms whose numbers follow
each other, and of a GET at its room.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web

from placed_simulator.certificates import server_context
from tests.benchmarks.child_process import obey, report
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.servers import google_responses

BATCH = 50
_ROOM = re.compile(r"/calendars/c_(\d{5})")
_MULTIPART = f"multipart/mixed; boundary={google_responses.BOUNDARY}"


class Answers:
    """What is answered, and how often it was."""

    def __init__(self, rooms: int) -> None:
        self.rooms = rooms
        self.version = 0
        self.asked: Counter[str] = Counter()
        self._batches: dict[tuple[int, int], bytes] = {}
        self._pages: dict[tuple[int, int], bytes] = {}
        self.prepare(0)

    def prepare(self, version: int) -> None:
        """Makes the answers of a version, in place of those before."""
        self._batches = {
            (first, version): google_responses.batch(range(first, min(first + BATCH, self.rooms)), version)
            for first in range(0, self.rooms, BATCH)
        }
        self._pages.clear()
        self.version = version

    async def token(self, _request: web.Request) -> web.Response:
        """An access token."""
        self.asked["token"] += 1
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": "ya29.c.bench"})

    async def batch(self, request: web.Request) -> web.Response:
        """Fifty rooms."""
        found = _ROOM.search((await request.read()).decode())
        if found is None:
            raise web.HTTPBadRequest
        self.asked["batch"] += 1
        body = self._batches[int(found[1]) // BATCH * BATCH, self.version]
        return web.Response(body=body, headers={"Content-Type": _MULTIPART})

    async def events(self, request: web.Request) -> web.Response:
        """One room, for those who ask one by one."""
        found = _ROOM.search(request.path)
        if found is None:
            raise web.HTTPNotFound
        self.asked["events"] += 1
        key = int(found[1]), self.version
        if key not in self._pages:
            self._pages[key] = google_responses.page(*key)
        return web.Response(body=self._pages[key], content_type="application/json", charset="UTF-8")

    async def obey(self, command: dict[str, Any]) -> Any:
        """What the measure wants."""
        if command["command"] == "version":
            self.prepare(command["version"])
        return dict(self.asked)


async def serve(answers: Answers) -> None:
    """Answers until nobody is left to command it."""
    app = web.Application(client_max_size=2**22)
    app.router.add_post("/token", answers.token)
    app.router.add_post("/batch/calendar/v3", answers.batch)
    app.router.add_get("/calendar/v3/calendars/{calendar}/events", answers.events)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder, "ca.pem")
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(ca_file))
        await site.start()
        report({"url": f"https://localhost:{runner.addresses[0][1]}", "ca_file": str(ca_file)})
        await obey(answers.obey)


def main() -> None:
    """Serves."""
    parser = argparse.ArgumentParser(description="A Google Calendar whose answers were made beforehand.")
    parser.add_argument("--rooms", type=int, default=800)
    settle_on(1)
    asyncio.run(serve(Answers(parser.parse_args().rooms)))


if __name__ == "__main__":
    main()
