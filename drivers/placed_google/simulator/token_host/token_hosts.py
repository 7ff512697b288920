"""The hosts that give tokens: OAuth, token exchange and IAM Credentials; one request in, one reply out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec

from placed_google.simulator.api_messages import NO_PAGE, ApiError
from placed_google.simulator.faults.simulated_fault import Kind, Where
from placed_google.simulator.faults.spoiled_replies import DELAY, INSTEAD, instead
from placed_google.simulator.token_host.assertion_check import TokenError, token
from placed_google.simulator.token_host.keyless_sign_in import METHOD, credentials, exchange
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from placed_google.simulator.workspace.workspace import Workspace

TOKEN = "/token"  # noqa: S105 - a path
TOKEN_INFO = "/tokeninfo"  # noqa: S105 - a path
EXCHANGE = "/v1/token"
HERE = frozenset({Where.TOKEN})


class TokenHosts:
    """The hosts for one Workspace, reachable at `base_url`; `sleep` is what a delay waits with."""

    def __init__(
        self, workspace: Workspace, base_url: str, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._workspace = workspace
        self._base_url = base_url
        self._sleep = sleep

    @staticmethod
    def has(path: str) -> bool:
        """Whether a path is of these hosts."""
        return path in (TOKEN, TOKEN_INFO, EXCHANGE) or METHOD.fullmatch(path) is not None

    async def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer a request, with the faults that hit it."""
        faults = self._workspace.faults
        delay = faults.take(DELAY, HERE)
        if delay is not None:
            await self._sleep(delay.seconds)
        fault = faults.take(INSTEAD, HERE)
        if fault is not None:
            return instead(fault)
        refusal = faults.take({Kind.OAUTH}, HERE)
        if refusal is not None:
            return TokenError(refusal.reason, refusal.message, refusal.status).reply()
        try:
            return self._answer(method, target, headers, body)
        except (TokenError, ApiError) as error:
            return error.reply()

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        path, _, query = target.partition("?")
        match method, path:
            case "POST", "/token":
                return token(self._workspace, body, f"{self._base_url}{TOKEN}")
            case "POST", "/v1/token":
                return exchange(self._workspace, body, headers.get("content-type", ""))
            case "GET", "/tokeninfo":
                return self._info(parse_qs(query).get("access_token", [""])[-1])
            case "POST", _:
                return credentials(self._workspace, path, headers.get("authorization", ""), body)
            case _:
                return NO_PAGE

    def _info(self, access_token: str) -> Reply:
        """What a token is good for."""
        workspace = self._workspace
        grant = workspace.tokens.read(access_token)
        account = workspace.accounts.get(grant.email) if grant is not None else None
        if grant is None or account is None:
            raise TokenError("invalid_token", "Invalid Value")
        answer = {
            "azp": account.client_id,
            "aud": account.client_id,
            "scope": " ".join(sorted(grant.scopes)),
            "exp": str(int(grant.expires.timestamp())),
            "expires_in": str(int((grant.expires - workspace.now()).total_seconds())),
            "access_type": "online",
        }
        return Reply(200, msgspec.json.encode(answer), "application/json; charset=utf-8")
