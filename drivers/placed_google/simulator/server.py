"""The simulated Google hosts on a socket: TLS on loopback, token host, Calendar API and Directory in one."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass, replace
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from placed_google.simulator.api_messages import NO_PAGE, ApiCall, unauthorized
from placed_google.simulator.calendar_host.calendar_api import BATCH, CalendarApi
from placed_google.simulator.calendar_host.calendar_api import PREFIX as CALENDAR
from placed_google.simulator.control import control_of
from placed_google.simulator.directory_host.directory_api import PREFIX as DIRECTORY
from placed_google.simulator.directory_host.directory_api import DirectoryApi
from placed_google.simulator.faults.simulated_fault import Kind, Where
from placed_google.simulator.token_host.keyless_sign_in import SUBJECT_TYPES
from placed_google.simulator.token_host.token_hosts import EXCHANGE, TOKEN, TokenHosts
from placed_google.simulator.workspace.cloud_accounts import Caller
from placed_simulator.control_call import PREFIX as CONTROL
from placed_simulator.http_messages import Reply, RequestRecord
from placed_simulator.loopback_server import LoopbackServer, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from placed_google.simulator.workspace.cloud_accounts import ServiceAccount
    from placed_google.simulator.workspace.workload_identity import WorkloadIdentity
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import ItemRecord


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    moment: datetime


class Simulator(LoopbackServer):
    """A server for one Workspace, for the time of an `async with`.

    Its `url` stands for `https://www.googleapis.com` and for `https://admin.googleapis.com`; `token_url` is
    the token host's.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        port: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        directory: Path | None = None,
    ) -> None:
        """Make it ready; `sleep` waits for delayed answers, `directory` keeps the CA file after the end."""
        super().__init__(port=port, directory=directory)
        self.workspace = workspace
        self._sleep = sleep

    def open_services(self) -> None:
        """The token hosts and the APIs."""
        calendar = CalendarApi(self.workspace, self._sleep)
        directory = DirectoryApi(self.workspace, self._sleep)
        self._tokens = TokenHosts(self.workspace, self.url, self._sleep)
        self._control = control_of(self.workspace, self.requests, self.token_url)
        self._apis = (
            (CALENDAR, calendar.answer),
            (BATCH, calendar.answer),
            (DIRECTORY, directory.answer),
        )

    @property
    def token_url(self) -> str:
        """Where tokens are given: what a key file names as its `token_uri`."""
        return f"{self.url}{TOKEN}"

    def make_key(self, account: ServiceAccount, private_key: RSAPrivateKey | None = None) -> str:
        """A new key of a service account: the JSON file that leads to this server."""
        return self.workspace.add_key(account, token_uri=self.token_url, private_key=private_key)

    def workload_identity_json(
        self, identity: WorkloadIdentity, account: ServiceAccount | None, subject_file: Path
    ) -> str:
        """The `external_account` file (AIP-4117) that leads here; the subject token is read from a file."""
        document: dict[str, object] = {
            "type": "external_account",
            "audience": identity.audience,
            "subject_token_type": SUBJECT_TYPES[0],
            "token_url": f"{self.url}{EXCHANGE}",
            "credential_source": {"file": str(subject_file)},
            "universe_domain": "googleapis.com",
        }
        if account is not None:
            path = f"/v1/projects/-/serviceAccounts/{account.email}:generateAccessToken"
            document["service_account_impersonation_url"] = f"{self.url}{path}"
        return json.dumps(document, indent=2)

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer of the host that the path belongs to."""
        target, moment = request.raw_path, self.workspace.now()
        headers = {key.lower(): value for key, value in request.headers.items()}
        asked = Asked(request.method, target, headers, await request.read(), moment)
        if target.startswith(CONTROL):
            return _response(request, self._control.answer(asked.method, target, asked.body), {})
        reply, items = await self._answer(asked)
        self.log(RequestRecord(moment, request.method, target, reply.status, items))
        if reply.dropped and request.transport is not None:
            cut(request.transport)
        where = Where.TOKEN if TokenHosts.has(target.partition("?")[0]) else Where.API
        return _response(request, reply, self._date(moment, where))

    async def _answer(self, asked: Asked) -> tuple[Reply, tuple[ItemRecord, ...]]:
        """The answer of a host, and what a batch held."""
        if TokenHosts.has(asked.target.partition("?")[0]):
            return await self._tokens.answer(asked.method, asked.target, asked.headers, asked.body), ()
        api = next((api for prefix, api in self._apis if asked.target.startswith(prefix)), None)
        if api is None:
            return NO_PAGE, ()
        caller = self._caller(asked.headers.get("authorization", ""))
        refused = self.workspace.faults.take({Kind.CREDENTIALS}, {Where.API})
        if caller is None or refused is not None:
            return unauthorized().reply(), ()
        call = ApiCall(
            method=asked.method,
            target=asked.target,
            headers=asked.headers,
            caller=caller,
            moment=asked.moment,
            body=asked.body,
        )
        reply = await api(call)
        return reply, tuple(call.items)

    def _date(self, moment: datetime, where: Where) -> dict[str, str]:
        """`Date` by the services' clock, or another if a fault has it so."""
        fault = self.workspace.faults.take({Kind.DATE}, {where})
        if fault is None:
            return {"Date": format_datetime(moment + self.workspace.clock_ahead, usegmt=True)}
        return {"Date": fault.detail, **({} if fault.age is None else {"Age": fault.age})}

    def _caller(self, authorization: str) -> Caller | None:
        """Who asks; None where the token is not good."""
        scheme, _, text = authorization.partition(" ")
        grant = self.workspace.tokens.read(text) if scheme == "Bearer" else None
        account = self.workspace.accounts.get(grant.email) if grant is not None else None
        if grant is None or account is None or account.disabled:
            return None
        return Caller(account, grant.scopes, grant.subject)


def _response(request: web.BaseRequest, reply: Reply, headers: dict[str, str]) -> web.Response:
    """With the headers of Google's front end; compressed if the client asks for it twice (Google: gzip)."""
    headers = {
        "Cache-Control": "private",
        "Server": "ESF",
        "Vary": "Origin, X-Origin, Referer",
        "X-Content-Type-Options": "nosniff",
        **headers,
        **dict(reply.headers),
    }
    asked = "gzip" in request.headers.get("Accept-Encoding", "")
    if reply.body and asked and "gzip" in request.headers.get("User-Agent", ""):
        headers["Content-Encoding"] = "gzip"
        reply = replace(reply, body=gzip.compress(reply.body))
    if reply.body:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status or HTTPStatus.OK, body=reply.body, headers=headers)
