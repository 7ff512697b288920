"""Radicale and Xandikos as processes on loopback, over TLS, with an owner who books and a reader."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
import sys
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from placed_icalendar.setup_kit.caldav_kit import radicale_rights
from placed_icalendar.setup_kit.caldav_questions import understand
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port
from tests.support.mosquitto import Authority
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

READER, OWNER = "placed", "owner"
PASSWORD = "horse-battery"


class RealServer(ABC):
    """A server.

    Attributes:
        rooms: path of the home with the rooms.
        people: path of a home with people's calendars.
    """

    rooms = "/rooms/"
    people = "/ada/"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.log = folder / "server.log"
        self.password_file = folder / "password"
        write_secret(self.password_file, PASSWORD)

    @property
    @abstractmethod
    def ca_file(self) -> Path:
        """The certificate that the server's is issued by."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What starts it; writes its files."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Owner]:
        """Runs it; gives the owner of all calendars."""
        with self.log.open("wb") as log:
            process = await asyncio.create_subprocess_exec(*self.command(), stdout=log, stderr=log)
        try:
            await self._started(process)
            context = ssl.create_default_context(cafile=self.ca_file)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
                yield Owner(session, self.url)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def _started(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(DEADLINE):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("localhost", self.port)
                    writer.close()
                    return
                assert process.returncode is None, self.log.read_text("utf-8")
                await asyncio.sleep(0.1)  # another process: that it listens is no event here


class Owner:
    """Who creates calendars and books them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        login = base64.b64encode(f"{OWNER}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}

    async def send(self, method: str, path: str, body: str = "", content_type: str = "text/calendar") -> int:
        """The status of a request."""
        kind = {"Content-Type": f"{content_type}; charset=utf-8"} if body else {}
        headers = {**self._headers, **kind}
        url = f"{self._url}{path}"
        async with self._session.request(method, url, data=body.encode(), headers=headers) as response:
            await response.read()
            return response.status

    async def make_folder(self, path: str) -> None:
        """A collection that is no calendar; one that is there stays."""
        assert await self.send("MKCOL", path) in (201, 405, 409)

    async def make_calendar(self, path: str, name: str) -> None:
        """An empty calendar."""
        body = (
            '<?xml version="1.0"?><c:mkcalendar xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
            f"<set><prop><displayname>{name}</displayname></prop></set></c:mkcalendar>"
        )
        assert await self.send("MKCALENDAR", path, body, "application/xml") == 201

    async def put(self, path: str, *events: str) -> None:
        """An object with these VEVENT components, given without their first and last lines."""
        inner = [f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events]
        head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//placed//tests//EN")
        text = "\n".join((*head, *inner, "END:VCALENDAR"))
        status = await self.send("PUT", path, "\r\n".join([*text.splitlines(), ""]))
        assert status in (201, 204), status


class Radicale(RealServer):
    """With the rights that the kit has for it."""

    @property
    def ca_file(self) -> Path:
        """See `RealServer.ca_file`."""
        return self.folder / "authority.pem"

    def command(self) -> Sequence[str]:
        """See `RealServer.command`."""
        certificate, key = Authority(self.folder).issue("localhost")
        (self.folder / "users").write_text(f"{OWNER}:{PASSWORD}\n{READER}:{PASSWORD}\n", "utf-8")
        answers = {"url": f"{self.url}{self.rooms}", "fence.canaries": f"{self.url}{self.people}calendar/"}
        rights = radicale_rights(understand("dav", answers))
        owner = f"\n[owner]\nuser: {OWNER}\ncollection: .*\npermissions: RrWw\n"
        (self.folder / "rights").write_text(f"{rights}{owner}", "utf-8")
        config = self.folder / "config"
        config.write_text(
            f"[server]\nhosts = localhost:{self.port}\nssl = True\ncertificate = {certificate}\nkey = {key}\n"
            f"[auth]\ntype = htpasswd\nhtpasswd_filename = {self.folder / 'users'}\n"
            "htpasswd_encryption = plain\n"
            "delay = 0\n"
            f"[rights]\ntype = from_file\nfile = {self.folder / 'rights'}\n"
            f"[storage]\nfilesystem_folder = {self.folder / 'storage'}\n[web]\ntype = none\n",
            "utf-8",
        )
        return (sys.executable, "-m", "radicale", "--config", str(config))


class Xandikos(RealServer):
    """It has one user, who may do everything."""

    rooms = "/owner/rooms/"
    people = "/owner/people/"

    @property
    def ca_file(self) -> Path:
        """See `RealServer.ca_file`."""
        return self.folder / "state" / "certs" / "selfsigned.crt"

    def command(self) -> Sequence[str]:
        """See `RealServer.command`."""
        digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324 - htpasswd's
        users = "".join(f"{user}:{{SHA}}{digest}\n" for user in (OWNER, READER))
        (self.folder / "users").write_text(users, "utf-8")
        (self.folder / "data").mkdir()
        return (
            *(str(Path(sys.executable).with_name("xandikos")), "serve", "-d", str(self.folder / "data")),
            *("--autocreate", "--current-user-principal", "/owner/", "--no-detect-systemd"),
            *("--autocert", "--state-dir", str(self.folder / "state")),
            *("--htpasswd", str(self.folder / "users"), "-l", "localhost", "-p", str(self.port)),
        )
