"""msgraph-sdk, Microsoft's own, as it comes, and rooms that are read side by side.

    python -m tests.benchmarks.peers.msgraph_sdk --url https://localhost:8443 --ca ca.pem

Most of what it takes is that for every event it goes through the import statements of the twelve hundred
classes that an entity of Graph may be of. That it is slow there is known: microsoftgraph/msgraph-sdk-python,
issue 584.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken  # type: ignore[import-not-found]
from kiota_abstractions.base_request_configuration import (  # type: ignore[import-not-found]
    RequestConfiguration,
)
from kiota_authentication_azure.azure_identity_authentication_provider import (  # type: ignore[import-not-found]
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient  # type: ignore[import-not-found]
from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import (  # type: ignore[import-not-found]
    CalendarViewRequestBuilder,
)

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
    from collections.abc import Iterator, Sequence


class Credential:
    """A token that is always the same."""

    def get_token(self, *scopes: str, **more: Any) -> Any:  # noqa: ARG002 - as azure.core wants it
        """See `azure.core.credentials.TokenCredential`."""
        return AccessToken(TOKEN, int(time.time()) + LIFETIME)


class Reader:
    """The rooms' calendars.

    Args:
        url: of Graph.
    """

    def __init__(self, url: str) -> None:
        host = urlsplit(url).hostname
        adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(Credential(), allowed_hosts=[host]))
        adapter.base_url = f"{url}/v1.0"
        self._client = GraphServiceClient(request_adapter=adapter)
        self._wanted = RequestConfiguration(
            query_parameters=CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
                start_date_time=START.isoformat(), end_date_time=END.isoformat(), select=[*FIELDS], top=TOP
            )
        )

    async def poll(self, mailboxes: Sequence[str]) -> int:
        """Reads these rooms, and counts the meetings."""
        waiting = iter(mailboxes)
        return sum(await asyncio.gather(*(self._some(waiting) for _ in range(CONCURRENCY))))

    async def _some(self, waiting: Iterator[str]) -> int:
        found = 0
        for mailbox in waiting:
            view = self._client.users.by_user_id(mailbox).calendar_view
            answer = await view.get(request_configuration=self._wanted)
            found += len({event.start.date_time for event in answer.value})
        return found


async def main() -> None:
    """Reads the rooms of the command line."""
    task = given()
    await take("msgraph-sdk", task, Reader(task.url).poll)


if __name__ == "__main__":
    asyncio.run(main())
