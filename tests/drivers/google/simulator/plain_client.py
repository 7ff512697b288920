"""A client as plain as can be: it shows what the simulated hosts really answer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

import aiohttp
import jwt
from yarl import URL

from placed_google.simulator import make_private_key

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from placed_google.simulator import ServiceAccount, Simulator

KEY = make_private_key()
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
READONLY = "https://www.googleapis.com/auth/calendar.events.readonly"
AUDIENCE = "https://oauth2.googleapis.com/token"
DAY = "singleEvents=true&timeMin=2026-12-02T00:00:00Z&timeMax=2026-12-03T00:00:00Z"


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
    def reason(self) -> str:
        """Of an API's error."""
        return str(self.json["error"]["errors"][0]["reason"])

    @property
    def items(self) -> list[dict[str, Any]]:
        """Of a page."""
        found: list[dict[str, Any]] = self.json.get("items", [])
        return found

    @property
    def summaries(self) -> list[str | None]:
        """Of the events on this page."""
        return [event.get("summary") for event in self.items]


class PlainClient:
    """Asks as one service account, which gets a token at the beginning."""

    def __init__(self, simulator: Simulator, account: ServiceAccount, context: ssl.SSLContext) -> None:
        self.simulator = simulator
        self.account = account
        self.context = context
        self.token = ""
        self.use_key_of(account)

    def use_key_of(self, account: ServiceAccount) -> None:
        """Sign in as another account from now on."""
        self.account = account
        self.key = json.loads(self.simulator.make_key(account, KEY))

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.context))
        await self.sign_in()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def sign_in(self, **changes: Any) -> Answer:
        """Get another token, if one is given; `changes` are claims, `kid` of the header, None leaves out."""
        answer = await self.ask_token(assertion=self.assertion(**changes))
        if answer.status == 200:
            self.token = answer.json["access_token"]
        return answer

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What an assertion claims; None leaves out."""
        now = int(time.time())
        claims = {
            "iss": self.account.email,
            "scope": READONLY,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 3600,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def assertion(self, **changes: Any) -> str:
        """A signed assertion."""
        kid = changes.pop("kid", self.key["private_key_id"])
        headers = {} if kid is None else {"kid": kid}
        claims = self.claims(**changes)
        return jwt.encode(claims, self.key["private_key"], algorithm="RS256", headers=headers)

    async def ask_token(self, **form: str) -> Answer:
        """Of the token host."""
        return await self.send("POST", self.simulator.token_url, data={"grant_type": GRANT_TYPE, **form})

    async def get(self, path: str, **headers: str) -> Answer:
        """`path` below the simulator's URL."""
        return await self.send("GET", f"{self.simulator.url}{path}", headers=self._authorized(headers))

    async def post(self, path: str, body: object, **headers: str) -> Answer:
        """Post JSON."""
        url = f"{self.simulator.url}{path}"
        return await self.send("POST", url, json=body, headers=self._authorized(headers))

    async def patch(self, path: str, body: object, **headers: str) -> Answer:
        """Patch with JSON."""
        url = f"{self.simulator.url}{path}"
        return await self.send("PATCH", url, json=body, headers=self._authorized(headers))

    async def delete(self, path: str, **headers: str) -> Answer:
        """Delete what the path names."""
        return await self.send("DELETE", f"{self.simulator.url}{path}", headers=self._authorized(headers))

    async def events(self, calendar_id: str, query: str = DAY, **more: object) -> Answer:
        """The calendar on 2 December 2026, UTC."""
        further = f"&{urlencode(more)}" if more else ""
        return await self.get(f"{events_path(calendar_id)}?{query}{further}")

    async def batch(self, targets: Sequence[str], ids: Sequence[str | None] | None = None) -> Answer:
        """The answer to a batch of GETs; the ids are `<0>`, `<1>` and so on."""
        given = [f"<{number}>" for number in range(len(targets))] if ids is None else ids
        parts = [
            "--b1\r\nContent-Type: application/http\r\n"
            + ("" if content_id is None else f"Content-ID: {content_id}\r\n")
            + f"\r\nGET {target} HTTP/1.1\r\n\r\n\r\n"
            for target, content_id in zip(targets, given, strict=True)
        ]
        headers = self._authorized({"Content-Type": "multipart/mixed; boundary=b1"})
        url = f"{self.simulator.url}/batch/calendar/v3"
        return await self.send("POST", url, data="".join([*parts, "--b1--\r\n"]).encode(), headers=headers)

    async def play(self, method: str, path: str, body: object = None) -> Answer:
        """Plays the administrator: `path` is below `/_control`."""
        arguments: dict[str, Any] = {} if body is None else {"json": body}
        return await self.send(method, f"{self.simulator.url}/_control/{path}", **arguments)

    async def send(self, method: str, url: str, **arguments: Any) -> Answer:
        """Send the URL as it is, without encoding it again."""
        async with self._session.request(method, URL(url, encoded=True), **arguments) as response:
            return Answer(response.status, response.headers, await response.read())

    def _authorized(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **headers}


def events_path(calendar_id: str) -> str:
    """The path of a calendar's events."""
    return f"/calendar/v3/calendars/{quote(calendar_id, safe='')}/events"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a batch's answer."""

    content_id: str | None
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def parts_of(answer: Answer) -> list[Part]:
    """The parts of a batch, in the order in which they came."""
    boundary = answer.headers["Content-Type"].partition("boundary=")[2]
    _, *pieces = answer.body.split(f"--{boundary}".encode())
    assert pieces.pop() == b"--\r\n"
    return [_part(piece) for piece in pieces]


def _part(piece: bytes) -> Part:
    outer, head, body = piece.removeprefix(b"\r\n").removesuffix(b"\r\n").split(b"\r\n\r\n", 2)
    fields = dict(line.split(": ", 1) for line in outer.decode().split("\r\n"))
    return Part(fields.get("Content-ID"), int(head.split(b" ")[1]), body)
