"""A real Prometheus that scrapes a daemon, and promtool."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import pytest

from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "config" / "prometheus" / "placed.rules.yml"
DASHBOARD = REPOSITORY / "config" / "grafana" / "placed.json"


def program(name: str) -> str:
    """Where it is; skips the test if it is nowhere."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def promtool(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(
        [program("promtool"), *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )


class Prometheus:
    """Scrapes a status endpoint several times a second, and judges the project's rules."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    @asynccontextmanager
    async def scraping(cls, folder: Path, url: str) -> AsyncIterator[Self]:
        """Runs it until the end, with its files in the folder; from the start it has scraped twice."""
        configuration = {
            "global": {"scrape_interval": "250ms", "evaluation_interval": "250ms"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": "placed", "static_configs": [{"targets": [url.removeprefix("http://")]}]}
            ],
        }
        file, address = folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
        file.write_text(json.dumps(configuration))  # which is YAML, too
        process = await asyncio.create_subprocess_exec(
            program("prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=error",
        )
        try:
            async with aiohttp.ClientSession(f"http://{address}") as session:
                prometheus = cls(session)
                await prometheus.until('count_over_time(up{job="placed"}[1m]) >= 2')
                yield prometheus
        finally:
            process.kill()
            await process.wait()

    async def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now."""
        async with self._session.get("/api/v1/query", params={"query": expression}) as response:
            if response.status == HTTPStatus.SERVICE_UNAVAILABLE:  # it is still starting
                return []
            reported = await response.json()
        assert reported["status"] == "success", f"{expression}: {reported}"
        series: list[dict[str, Any]] = reported["data"]["result"]
        return series

    async def until(self, expression: str) -> list[dict[str, Any]]:
        """The same, as soon as there is one."""
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    if series := await self.ask(expression):
                        return series
                except aiohttp.ClientConnectionError:
                    pass  # it is about to listen
                await asyncio.sleep(0.05)  # another process, which only answers requests
