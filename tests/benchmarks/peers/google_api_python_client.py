"""google-api-python-client, Google's own, which stands on httplib2; one GET a room, in some threads.

    python -m tests.benchmarks.peers.google_api_python_client --url https://localhost:8443 --ca ca.pem

Its description of the API comes with the package. A service is not made to be shared between threads.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import google_auth_httplib2
import httplib2
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from tests.benchmarks.peers.calendar_read_task import CONCURRENCY, END, START, TOKEN, given, take
from tests.benchmarks.servers.google_responses import calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.peers.calendar_read_task import Task


class Reader:
    """Rooms' calendars, one after the other."""

    def __init__(self, task: Task) -> None:
        self._service = service(task)

    def poll(self, calendars: Sequence[str]) -> int:
        """Reads these calendars, and counts the meetings."""
        return sum(self._count(address) for address in calendars)

    def _count(self, address: str) -> int:
        answer = (
            self._service.events()
            .list(
                calendarId=address,
                singleEvents=True,
                timeMin=f"{START:%Y-%m-%dT%H:%M:%SZ}",
                timeMax=f"{END:%Y-%m-%dT%H:%M:%SZ}",
                maxAttendees=1,
                timeZone="UTC",
            )
            .execute()
        )
        return len({event["id"] for event in answer["items"]})


def service(task: Task) -> Any:
    """The calendar service, which has its token already."""
    credentials: Any = Credentials
    plain = httplib2.Http(ca_certs=task.ca_file)
    http = google_auth_httplib2.AuthorizedHttp(credentials(token=TOKEN), http=plain)
    options = {"api_endpoint": f"{task.url}/calendar/v3/"}
    return build("calendar", "v3", http=http, client_options=options, static_discovery=True)


async def main() -> None:
    """Reads the rooms of the command line."""
    task = given(calendar)
    readers = [Reader(task) for _ in range(CONCURRENCY)]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(CONCURRENCY) as threads:

        async def poll(calendars: Sequence[str]) -> int:
            shares = [calendars[n::CONCURRENCY] for n in range(CONCURRENCY)]
            parts = zip(readers, shares, strict=True)
            return sum(
                await asyncio.gather(
                    *(loop.run_in_executor(threads, one.poll, share) for one, share in parts)
                )
            )

        await take("google-api-python-client", task, poll)


if __name__ == "__main__":
    asyncio.run(main())
