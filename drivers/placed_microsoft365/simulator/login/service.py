"""The paths of the login host, and the faults in front of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from placed_microsoft365.simulator.faults.fault import Kind, Where
from placed_microsoft365.simulator.faults.faulty_replies import DELAY, INSTEAD, afterwards, instead
from placed_microsoft365.simulator.login.consent_page import consent_page
from placed_microsoft365.simulator.login.token_endpoint import Login
from placed_simulator.http_messages import HTML, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed_microsoft365.simulator.http_messages import Request
    from placed_microsoft365.simulator.tenant.tenant import Tenant

DISCOVERY = re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration")
TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
CONSENT = re.compile(r"/([^/]+)(/v2\.0)?/adminconsent")
AADSTS = frozenset({Kind.AADSTS})
NOT_FOUND = Reply(404, b"<html><body>Not found</body></html>", HTML)


class LoginHost:
    """The login host of one tenant, reachable at `base_url`; `sleep` is what a delay waits with."""

    def __init__(self, tenant: Tenant, base_url: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._tenant = tenant
        self._login = Login(tenant, base_url)
        self._sleep = sleep

    async def answer(self, request: Request) -> Reply:
        """Answer a request of a client or of an administrator's browser."""
        path = urlsplit(request.target).path
        discovery = DISCOVERY.fullmatch(path)
        if discovery is not None and request.method == "GET":
            return await self._spoilt(
                Where.DISCOVERY, request, lambda: self._configuration(unquote(discovery[1]))
            )
        token = TOKEN.fullmatch(path)
        if token is not None and request.method == "POST":
            return await self._spoilt(Where.LOGIN, request, lambda: self._token(unquote(token[1]), request))
        consent = CONSENT.fullmatch(path)
        if consent is not None and request.method == "GET":
            version = 2 if consent[2] else 1
            return consent_page(self._tenant, unquote(consent[1]), request.target, version=version)
        return NOT_FOUND

    def _configuration(self, name: str) -> Reply:
        fault = self._tenant.faults.take(AADSTS, frozenset({Where.DISCOVERY}))
        if fault is not None:
            return self._login.refuse(fault.error, name)
        return self._login.openid_configuration(name)

    def _token(self, name: str, request: Request) -> Reply:
        fault = self._tenant.faults.take(AADSTS, frozenset({Where.LOGIN}))
        if fault is not None:
            return self._login.refuse(fault.error, name)
        return self._login.token(name, request.body, request.headers.get("authorization"))

    async def _spoilt(self, where: Where, request: Request, answer: Callable[[], Reply]) -> Reply:
        faults = self._tenant.faults
        delay = faults.take(DELAY, frozenset({where}))
        if delay is not None:
            await self._sleep(delay.seconds)
        fault = faults.take(INSTEAD, frozenset({where}))
        return instead(fault, request) if fault is not None else afterwards(faults, answer(), where)
