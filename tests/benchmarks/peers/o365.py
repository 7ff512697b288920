"""O365, which stands on requests, and rooms that are read by some threads.

    python -m tests.benchmarks.peers.o365 --url https://localhost:8443 --ca ca.pem

Every thread has an account of its own, as a session of requests is not made to be shared, and so a connection
of its own, too.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from O365 import Account, MSGraphProtocol  # type: ignore[import-not-found]
from O365.utils.query import QueryBuilder  # type: ignore[import-not-found]
from O365.utils.token import MemoryTokenBackend  # type: ignore[import-not-found]

from tests.benchmarks.peers.calendar_read_task import (
    CONCURRENCY,
    END,
    FIELDS,
    LIFETIME,
    START,
    TOKEN,
    TOP,
    given,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.peers.calendar_read_task import Task


class Reader:
    """Rooms' calendars, one after the other."""

    def __init__(self, task: Task) -> None:
        self._account = account(task)
        self._wanted = QueryBuilder(self._account.protocol).select(*FIELDS)

    def poll(self, mailboxes: Sequence[str]) -> int:
        """Reads these rooms, and counts the meetings."""
        return sum(self._count(mailbox) for mailbox in mailboxes)

    def _count(self, mailbox: str) -> int:
        events = self._account.schedule(resource=mailbox).get_events(
            limit=TOP,
            query=self._wanted,
            include_recurring=True,
            start_recurring=START,
            end_recurring=END,
        )
        return len({event.start for event in events})


def account(task: Task) -> Any:
    """An account that has its token already, and asks as fast as it can."""
    protocol = MSGraphProtocol(timezone="UTC")
    protocol.service_url = f"{task.url}/v1.0/"
    tokens = MemoryTokenBackend()
    tokens.add(
        {
            "client_id": "placed",
            "scope": ["https://graph.microsoft.com/.default"],
            "token_endpoint": f"{task.url}/contoso/oauth2/v2.0/token",
            "response": {"token_type": "Bearer", "access_token": TOKEN, "expires_in": LIFETIME},
        }
    )
    return Account(
        ("placed", "secret"),
        protocol=protocol,
        auth_flow_type="credentials",
        tenant_id="contoso",
        token_backend=tokens,
        requests_delay=0,  # it waits 200 ms between two requests otherwise
    )


async def main() -> None:
    """Reads the rooms of the command line."""
    task = given()
    readers = [Reader(task) for _ in range(CONCURRENCY)]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(CONCURRENCY) as threads:

        async def poll(mailboxes: Sequence[str]) -> int:
            shares = [mailboxes[n::CONCURRENCY] for n in range(CONCURRENCY)]
            parts = zip(readers, shares, strict=True)
            return sum(
                await asyncio.gather(
                    *(loop.run_in_executor(threads, one.poll, share) for one, share in parts)
                )
            )

        await take("O365", task, poll)


if __name__ == "__main__":
    asyncio.run(main())
