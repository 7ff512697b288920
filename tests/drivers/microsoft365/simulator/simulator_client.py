"""A client as plain as can be: it shows what the simulated services really answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from placed_microsoft365.simulator import App, Simulator


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error."""
        return str(self.json["error"]["code"])

    @property
    def subjects(self) -> list[str]:
        """Of the events on this page."""
        return [event["subject"] for event in self.json["value"]]


class Client:
    """Asks as one app; a token is got once, with the app's first secret."""

    def __init__(self, simulator: Simulator, app: App, context: ssl.SSLContext) -> None:
        self.simulator = simulator
        self.app = app
        self.context = context
        self.token = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.context))
        await self.log_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def log_in(self) -> Answer:
        """Get another token, if the login gives one."""
        answer = await self.ask_token(client_secret=self.app.secrets[0].value)
        if answer.status == 200:
            self.token = answer.json["access_token"]
        return answer

    async def ask_token(self, tenant: str = "contoso.example", **form: str) -> Answer:
        """A field of the form that is empty is not sent."""
        whole = {
            "client_id": self.app.client_id,
            "scope": f"{self.simulator.url}/.default",
            "grant_type": "client_credentials",
            **form,
        }
        url = f"{self.simulator.url}/{tenant}/oauth2/v2.0/token"
        return await self.send("POST", url, data={name: value for name, value in whole.items() if value})

    async def get(self, path: str, **headers: str) -> Answer:
        """`path` below `/v1.0`, or an absolute URL such as a next link."""
        return await self.send("GET", self._url(path), headers=self._authorized(headers))

    async def post(self, path: str, body: object) -> Answer:
        """Post JSON; `path` below `/v1.0`."""
        return await self.send("POST", self._url(path), json=body, headers=self._authorized({}))

    async def view(self, room: str, query: str = "", **headers: str) -> Answer:
        """The calendar of 6 October 2026, UTC."""
        window = "startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-07T00:00:00Z"
        return await self.get(f"/users/{room}/calendarView?{window}{query}", **headers)

    async def batch(self, urls: Sequence[str]) -> dict[str, Any]:
        """The items' answers by id; the ids are "0", "1" and so on."""
        answer = await self.post_batch(urls)
        return {item["id"]: item for item in answer.json["responses"]}

    async def post_batch(self, urls: Sequence[str]) -> Answer:
        """The answer to the whole batch."""
        items = [{"id": str(number), "method": "GET", "url": url} for number, url in enumerate(urls)]
        return await self.post("/$batch", {"requests": items})

    async def play(self, method: str, path: str, body: object = None) -> Answer:
        """Plays the tenant: `path` is below `/_control`."""
        arguments: dict[str, Any] = {} if body is None else {"json": body}
        return await self.send(method, f"{self.simulator.url}/_control/{path}", **arguments)

    async def send(self, method: str, url: str, **arguments: Any) -> Answer:
        """Send the URL as it is, without encoding it again."""
        async with self._session.request(method, URL(url, encoded=True), **arguments) as response:
            return Answer(response.status, response.headers, await response.read())

    def _url(self, path: str) -> str:
        return path if path.startswith("https:") else f"{self.simulator.url}/v1.0{path}"

    def _authorized(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **headers}
