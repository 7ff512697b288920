"""What it takes to poll rooms of Google Workspace of which nothing, or everything, has changed."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from placed_google import Google
from placed_google.api.json_structs import Events
from placed_google.settings import GoogleSettings
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.poller_setup import CONCURRENCY, polled
from tests.benchmarks.measures.polling import session
from tests.benchmarks.peers import NoPeersError, measure_google
from tests.benchmarks.processor_time import alternately, settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.google import BATCH
from tests.benchmarks.servers.google_responses import BOUNDARY, calendar

if TYPE_CHECKING:
    from collections.abc import Iterable

    import aiohttp

    from tests.benchmarks.workload_size import Effort

UNCHANGED, CHANGED = 2.2, 4.5  # floors, at most
OF_PEER = 1 / 100
_ROOMS = 800  # so that all polls keep to what Google allows a service account at most in a minute
_LEAST, _MOST = 3, 5  # polls
_FIELDS = (
    "accessRole,timeZone,nextPageToken,items(id,status,start,end,transparency,visibility,eventType,"
    "attendeesOmitted,attendees(self,resource,responseStatus))"
)
_QUERY = (
    "singleEvents=true&timeMin=2026-10-06T00:00:00Z&timeMax=2026-10-09T00:00:00Z&maxResults=250"
    f"&maxAttendees=1&timeZone=UTC&prettyPrint=false&fields={_FIELDS}"
)


class Floor:
    """The same batches asked by aiohttp alone, and nothing done with the answers.

    Args:
        url: of the calendar host.
        rooms: how many.
        decode: whether every event of an answer is decoded, as a typed struct.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, rooms: int, *, decode: bool) -> None:
        self._session = session
        self._url = f"{url}/batch/calendar/v3"
        self._decoder = msgspec.json.Decoder(Events) if decode else None
        self._bodies = [_question(range(n, min(n + BATCH, rooms))) for n in range(0, rooms, BATCH)]

    async def poll(self) -> None:
        """One round of all rooms."""
        waiting = iter(self._bodies)
        await asyncio.gather(*(self._ask(waiting) for _ in range(CONCURRENCY)))

    async def _ask(self, waiting: Iterable[bytes]) -> None:
        headers = {"Authorization": "Bearer ya29.c.bench", "Content-Type": "multipart/mixed; boundary=b"}
        for body in waiting:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                answer = await response.read()
            if self._decoder is not None:
                for part in answer.split(f"--{BOUNDARY}".encode())[1:-1]:
                    self._decoder.decode(part[part.index(b"{") :])


def _question(rooms: Iterable[int]) -> bytes:
    parts = [
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <{place}>\r\n\r\n"
        f"GET /calendar/v3/calendars/{calendar(room)}/events?{_QUERY} HTTP/1.1\r\n\r\n\r\n"
        for place, room in enumerate(rooms)
    ]
    return "".join([*parts, "--b--\r\n"]).encode()


def _settings(google: Child, folder: Path) -> GoogleSettings:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "key.json"
    file.touch(mode=0o600)
    account = {
        "type": "service_account",
        "client_email": "placed@bench.iam.gserviceaccount.com",
        "client_id": "100000000000000000001",
        "private_key": key.decode(),
        "private_key_id": "1" * 40,
        "project_id": "bench",
        "token_uri": f"{google.begun['url']}/token",
    }
    file.write_text(json.dumps(account))
    return GoogleSettings(
        name="fabrikam",
        key_file=file,
        calendar_url=google.begun["url"],
        ca_file=google.begun["ca_file"],
        rooms=tuple(map(calendar, range(_ROOMS))),
        requests_per_minute=10_000,
    )


async def _poll(google: Child, folder: Path, times: int, *, changed: bool) -> tuple[float, float]:
    """Seconds a room and poll: ours, and the floor's."""
    settings = _settings(google, folder)
    ca_file = Path(google.begun["ca_file"])
    async with polled(Google.open, settings) as ours, session(ca_file) as plain:
        floor = Floor(plain, google.begun["url"], _ROOMS, decode=changed)
        await ours.poll()
        await floor.poll()
        least = [float("inf")] * 2
        for version in range(1, times + 1):
            if changed:
                google.ask("version", version=version)
            seq = ours.board.seq
            found = await alternately(1, ours.poll, floor.poll)
            if changed and ours.board.seq - seq < _ROOMS:
                raise RuntimeError("not every room has changed")
            least = [min(pair) for pair in zip(least, found, strict=True)]
    return least[0] / _ROOMS, least[1] / _ROOMS


def measure(effort: Effort) -> Result:
    """Polls rooms before a Google Calendar made beforehand; then has the peer read some of them."""
    settle_on(0)
    times = effort.choose(_MOST, _LEAST)
    with (
        Child("tests.benchmarks.servers.google", f"--rooms={_ROOMS}") as google,
        tempfile.TemporaryDirectory() as folder,
    ):
        unchanged = asyncio.run(_poll(google, Path(folder), times, changed=False))
        peers: dict[str, float] = {}
        note = ""
        if not effort.short:
            try:
                peers = measure_google(google.begun["url"], google.begun["ca_file"])
            except NoPeersError as missing:
                note = f"peers were not measured: {missing}"
    with (
        Child("tests.benchmarks.servers.google", f"--rooms={_ROOMS}") as google,
        tempfile.TemporaryDirectory() as folder,
    ):
        changed = asyncio.run(_poll(google, Path(folder), times, changed=True))
    rows = []
    for kind, (ours, floor), at_most in (
        ("unchanged", unchanged, UNCHANGED),
        ("changed", changed, CHANGED),
    ):
        theirs = {name: seconds * 1e6 for name, seconds in peers.items()}
        rows.append(
            Row(
                f"google.{kind}.{_ROOMS}",
                f"CPU per {kind} room of Google Workspace and poll, {_ROOMS:,} rooms",
                "µs",
                ours * 1e6,
                floor * 1e6,
                at_most,
                peers=theirs,
                peers_at_most=dict.fromkeys(theirs, OF_PEER) if kind == "unchanged" else {},
                note=note,
            )
        )
    return Result(rows)
