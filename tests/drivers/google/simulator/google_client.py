"""Google's own libraries, google-auth and google-api-python-client, against the simulated hosts.

They are synchronous, so each call runs in a thread.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

import google_auth_httplib2
import httplib2
from google.oauth2 import service_account
from googleapiclient.discovery import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from placed_google.simulator import Simulator

READONLY = "https://www.googleapis.com/auth/calendar.events.readonly"


class GoogleClient:
    """A client of one key; the discovery documents are those that come with the library."""

    def __init__(self, simulator: Simulator, key_file: str, *scopes: str, subject: str | None = None) -> None:
        self.simulator = simulator
        self.credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            json.loads(key_file), scopes=scopes or (READONLY,), subject=subject
        )
        self._http = httplib2.Http(ca_certs=str(simulator.ca_file), timeout=60)
        self._authorized = google_auth_httplib2.AuthorizedHttp(self.credentials, http=self._http)
        self.calendar = self._build("calendar", "v3", "calendar/v3/")
        self.directory = self._build("admin", "directory_v1", "")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _build(self, name: str, version: str, path: str) -> Any:
        return build(
            name,
            version,
            http=self._authorized,
            static_discovery=True,
            client_options={"api_endpoint": f"{self.simulator.url}/{path}"},
        )

    async def sign_in(self) -> str:
        """A token, by the library's own flow."""
        request = google_auth_httplib2.Request(self._http)
        await asyncio.to_thread(self.credentials.refresh, request)
        return str(self.credentials.token)

    async def events(self, calendar_id: str, **parameters: Any) -> dict[str, Any]:
        """One page."""
        asked = self.calendar.events().list(calendarId=calendar_id, singleEvents=True, **parameters)
        found: dict[str, Any] = await asyncio.to_thread(asked.execute)
        return found

    async def every_event(self, calendar_id: str, **parameters: Any) -> list[dict[str, Any]]:
        """All pages, as the library follows them."""

        def read() -> list[dict[str, Any]]:
            events = self.calendar.events()
            asked = events.list(calendarId=calendar_id, singleEvents=True, **parameters)
            found: list[dict[str, Any]] = []
            while asked is not None:
                answer = asked.execute()
                found += answer.get("items", [])
                asked = events.list_next(asked, answer)
            return found

        return await asyncio.to_thread(read)

    async def batch(
        self, asked: dict[str, Any]
    ) -> tuple[dict[str, dict[str, Any]], dict[str, BaseException]]:
        """What came back of each request, and what failed, by the names they were given."""
        answers: dict[str, dict[str, Any]] = {}
        failures: dict[str, BaseException] = {}

        def received(name: str, answer: dict[str, Any], failure: BaseException | None) -> None:
            if failure is None:
                answers[name] = answer
            else:
                failures[name] = failure

        batch = self.calendar.new_batch_http_request(callback=received)
        batch._batch_uri = f"{self.simulator.url}/batch/calendar/v3"
        for name, request in asked.items():
            batch.add(request, request_id=name)
        await self.sign_in()  # a batch would do it with a connection that does not know the CA file
        await asyncio.to_thread(batch.execute)
        return answers, failures

    async def run(self, request: Callable[[], Any]) -> Any:
        """Whatever the library can be asked."""
        return await asyncio.to_thread(request)
