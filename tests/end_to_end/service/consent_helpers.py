"""What the tests of `placed consent` have in common: a connection, what is kept of it, a browser."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
from yarl import URL

from placed.store import Journal
from tests.support.deadlines import DEADLINE
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed_microsoft365.simulator import App
    from tests.support.deployment import Deployment


def configured(deployment: Deployment, *, roles: tuple[str, ...] = (), **settings: Any) -> App:
    """A connection whose application asks for the calendars, with the grants given."""
    app = deployment.connect(roles=roles, **settings)
    app.requested = {"Calendars.Read"}
    deployment.configure(mqtt=None)
    return app


def record(deployment: Deployment, name: str = "contoso") -> Any:
    """What is kept of the connection's consent; nothing is an empty record."""
    with closing(Journal(deployment.state_directory)) as journal:
        return msgspec.to_builtins(journal.consent(name).load())


@asynccontextmanager
async def asking(deployment: Deployment, *options: str) -> AsyncIterator[tuple[Program, URL]]:
    """`placed consent --link`, and the link that it prints."""
    async with Program.start(
        deployment.folder, "consent", "--link", "-c", deployment.file, *options
    ) as program:
        line = await program.wait_for_line("/v2.0/adminconsent?")
        await program.wait_for_line("Waiting for the answer")
        yield program, URL(line.strip(), encoded=True)


class Browser:
    """The administrator's."""

    def __init__(self, deployment: Deployment) -> None:
        self._tls = ssl.create_default_context(cafile=str(deployment.simulator.ca_file))

    async def back(self, link: URL) -> URL:
        """Where the consent page sends it."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(DEADLINE)) as session,
            session.get(link, ssl=self._tls, allow_redirects=False) as response,
        ):
            assert response.status == 302, await response.text()
            return URL(response.headers["Location"], encoded=True)

    async def show(self, address: URL) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(DEADLINE)) as session,
            session.get(address) as response,
        ):
            return response.status, await response.text()

    async def follow(self, link: URL) -> tuple[int, str]:
        return await self.show(await self.back(link))
