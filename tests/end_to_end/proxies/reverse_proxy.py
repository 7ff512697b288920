"""Real web servers in front of an endpoint, configured as in docs/operators.md."""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operators.md"
WITHIN = 20.0  # seconds until it has to listen
_NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_types application/json text/css text/javascript text/event-stream;
    server {{
        listen 127.0.0.1:{port};
        {documented}
    }}
}}
"""
_CADDY = """
{{
    admin off
    auto_https off
    storage file_system {folder}
}}
{documented}
"""


def documented(language: str) -> str:
    """The block of the operators' page that is written in a server's language."""
    found = re.search(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/operators.md has no block for {language}"
    return found[1]


def _nginx(folder: Path, port: int, daemon: int) -> str:
    return _NGINX.format(
        folder=folder, port=port, documented=documented("nginx").replace("8620", str(daemon))
    )


def _caddy(folder: Path, port: int, daemon: int) -> str:
    text = documented("caddy").replace("8620", str(daemon)).replace("rooms.contoso.com", f"http://:{port}", 1)
    return _CADDY.format(folder=folder, documented=text)


def _caddy_that_packs(folder: Path, port: int, daemon: int) -> str:
    """As many have it, against the advice of the operators' page: it keeps back events."""
    return _caddy(folder, port, daemon).replace("{\n    redir", "{\n    encode gzip\n    redir")


def _haproxy(_folder: Path, port: int, daemon: int) -> str:
    text = documented("haproxy").replace("8620", str(daemon))
    text, replaced = re.subn(r"bind .*", f"bind 127.0.0.1:{port}", text)
    assert replaced == 1
    return text


@dataclass(frozen=True, slots=True)
class Kind:
    """A web server: its program, how it is started, and its whole configuration."""

    program: str
    arguments: tuple[str, ...]
    configuration: Callable[[Path, int, int], str]


KINDS = {
    "nginx": Kind("nginx", ("-e", "stderr", "-c"), _nginx),
    "caddy": Kind("caddy", ("run", "--adapter", "caddyfile", "--config"), _caddy),
    "caddy that packs": Kind("caddy", ("run", "--adapter", "caddyfile", "--config"), _caddy_that_packs),
    "haproxy": Kind("haproxy", ("-db", "-f"), _haproxy),
}


@asynccontextmanager
async def in_front_of(daemon: int, kind: Kind, folder: Path) -> AsyncIterator[str]:
    """A web server that has the endpoint on port `daemon` below a path; its own address."""
    program = shutil.which(kind.program)
    assert program is not None
    port = free_port()
    file = folder / "configuration"
    file.write_text(kind.configuration(folder, port, daemon))
    with (folder / "log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            program, *kind.arguments, file, stdout=log, stderr=log, cwd=folder, env={"HOME": str(folder)}
        )
        try:
            await _listens(port, process, folder)
            yield f"http://localhost:{port}"
        finally:
            with suppress(ProcessLookupError):
                process.kill()  # or it waits for streams to end
            await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process, folder: Path) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            assert process.returncode is None, (folder / "log").read_text()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)  # another process: that it listens is no event here
            else:
                writer.close()
                return
