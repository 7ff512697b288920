"""The pages in docs/: their commands are run as they stand, and what they name is there."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from placed.domain.model import Reason, Status
from placed.domain.state_document import StateDocument
from placed.mqtt.topics import Topics
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.deployment import Deployment

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted((REPOSITORY / "docs").glob("*.md")),
    REPOSITORY / "SECURITY.md",
    REPOSITORY / "systemd" / "README.md",
]
PANELS, STAFF, OPERATORS = (REPOSITORY / "docs" / f"{name}.md" for name in ("panels", "staff", "operators"))
OF_SYSTEMD = ("systemctl", "journalctl")  # are tried where there is a systemd: tests/end_to_end/systemd

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)]+)\)")


def commands(page: Path) -> list[str]:
    """Every line in the blocks of shell commands."""
    return [
        line
        for block in _BLOCK.findall(page.read_text("utf-8"))
        for line in block.splitlines()
        if line and not line.startswith(OF_SYSTEMD)
    ]


class Place(NamedTuple):
    """Where the commands of the pages find what they speak of."""

    deployment: Deployment
    url: str

    def here(self, command: str) -> str:
        """The command, with the addresses of this test."""
        broker = self.deployment.broker
        for written, meant in (
            ("-h broker.example", f"-h 127.0.0.1 -p {broker.port}"),
            ("mqtt://broker.example", broker.url),
            ("http://127.0.0.1:8620", self.url),
            ("/etc/placed/placed.toml", str(self.deployment.file)),
        ):
            command = command.replace(written, meant)
        return command

    async def runs(self, command: str) -> None:
        """The command prints something, and ends with 0 unless it goes on until it is interrupted."""
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-o",
            "pipefail",
            "-c",
            self.here(command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PLACED_CONFIG": str(self.deployment.file),
                "PLACED_URL": self.url,
                "STATE_DIRECTORY": str(self.deployment.state_directory),
            },
        )
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.timeout(DEADLINE):
                output = await process.stdout.readline()
                if goes_on(command):
                    assert output.strip(), f"{command}: {(await process.stderr.read()).decode()}"
                    return
                rest, complaint = await process.communicate()
                assert process.returncode == 0, f"{command}: {(output + rest + complaint).decode()}"
                assert output.strip(), command
        finally:
            if goes_on(command) and process.returncode is None:
                os.killpg(process.pid, signal.SIGTERM)
            await process.communicate()


def goes_on(command: str) -> bool:
    words = shlex.split(command.partition("|")[0])
    if words[0] == "mosquitto_sub":
        return "-C" not in words
    if words[:2] == ["placed", "watch"]:
        return "--once" not in words
    return words[0] == "curl" and "-sN" in words


@pytest.fixture
async def place(deployment: Deployment) -> AsyncIterator[Place]:
    """A daemon with a room that is busy, one that is free and one that is unknown."""
    for program in ("mosquitto_sub", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now, now + timedelta(hours=1))
    deployment.connect(rooms=["boardroom", "library", "nowhere"])
    async with deployment.daemon() as running:
        yield Place(deployment, running.url)


@pytest.mark.parametrize("page", [PANELS, STAFF], ids=lambda page: page.stem)
async def test_every_command_of_the_page_works_as_described(place: Place, page: Path) -> None:
    found = commands(page)
    assert len(found) > 10
    for command in found:
        await place.runs(command)


async def test_every_command_of_the_operators_page_works_as_described(deployment: Deployment) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    deployment.connect()
    async with deployment.daemon() as running:
        found = commands(OPERATORS)
        assert len(found) > 5
        for command in found:
            await Place(deployment, running.url).runs(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{page.name}: {link}"


def test_the_panels_page_names_every_topic_and_member() -> None:
    page = PANELS.read_text("utf-8")
    topics = Topics("placed")
    for topic in (
        topics.bridge_state,
        topics.bridge_info,
        topics.bridge_health,
        topics.rooms,
        topics.state("<id>"),
        topics.availability("<id>"),
        topics.occupied("<id>"),
        topics.status("<id>"),
        topics.event("<id>"),
    ):
        assert f"| `{topic.removeprefix('placed/')}` |" in page
    rows = re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(StateDocument.__struct_fields__) <= named
    assert all(f"`{status}`" in page for status in Status)


def test_the_operators_page_has_a_remedy_for_every_reason() -> None:
    page = OPERATORS.read_text("utf-8")
    assert [reason for reason in Reason if f"\n| `{reason}` | " not in page] == []


def test_the_operators_page_names_every_event_of_the_log() -> None:
    """Except those of --verbose, which it sums up."""
    page = OPERATORS.read_text("utf-8")
    sources = [*(REPOSITORY / "placed").rglob("*.py"), *(REPOSITORY / "drivers").rglob("*.py")]
    call = re.compile(r"\b_?log\.(?:info|warning|error|exception)\(\s*\"([a-z_0-9]+\.[a-z_0-9]+)\"")
    events = {event for source in sources for event in call.findall(source.read_text("utf-8"))}
    assert len(events) > 25
    missing = []
    for event in sorted(events):
        family, _, what = event.partition(".")
        reported = f"`{event}`" in page or f"`{family}.…`" in page
        reported = reported or (f"`{family}." in page and f"`.{what}`" in page)
        reported = reported or any(event.startswith(start) for start in re.findall(r"`([a-z_.]+)…`", page))
        if not reported:
            missing.append(event)
    assert missing == []
