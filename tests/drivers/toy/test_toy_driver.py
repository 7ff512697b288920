"""A driver that somebody else wrote, in a distribution of its own: placed finds it, runs it and logs it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import Surroundings, find_drivers
from placed.driver.conformance import Conformance
from tests.support.mosquitto import Mosquitto, Subscriber
from tests.support.placed_process import Program, run
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placed.driver.conformance import Service

HERE = Path(__file__).parent
PACKAGE = "placed_toy"
ROOMS = ("boardroom", "library")


def install(site_packages: Path) -> None:
    """What `pip install --target` leaves in a folder: the package, its metadata and its entry points."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))["project"]
    name, version = project["name"], project["version"]
    shutil.copytree(HERE / PACKAGE, site_packages / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = site_packages / f"{PACKAGE}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{point} = {value}" for point, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join([*lines, ""]))


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the path, in which the driver is installed."""
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    return folder


@pytest.fixture
def installed(site_packages: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The driver is installed for this process."""
    monkeypatch.syspath_prepend(site_packages)
    yield
    sys.modules.pop(PACKAGE, None)


def write_calendars(file: Path, **rooms: Sequence[tuple[datetime, datetime]]) -> Path:
    """Writes the file that the driver reads, with the meetings of each room."""
    calendars = {
        room: [[start.isoformat(), end.isoformat()] for start, end in meetings]
        for room, meetings in rooms.items()
    }
    file.write_text(json.dumps({"password": "", "rooms": calendars}))
    return file


# --- the conformance suite ----------------------------------------------------------------------------------


class ToyService:
    """The file, as the suite wants it."""

    kind = "toy"

    def __init__(self, folder: Path) -> None:
        self._moment = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)
        self._file = folder / "calendars.json"
        hour = timedelta(hours=1)
        write_calendars(self._file, **{room: [(self._moment - hour, self._moment + hour)] for room in ROOMS})
        kind = find_drivers()[self.kind]
        settings = kind.Settings.model_validate({"name": "toys", "driver": "toy", "file": self._file})
        self.driver = kind.open(settings, Surroundings(self.now, 8, details=False, version="1.2.3"))

    def now(self) -> datetime:
        return self._moment

    def book(self, address: str, start: datetime, end: datetime) -> None:
        self._change(lambda content: content["rooms"][address].append([start.isoformat(), end.isoformat()]))

    def spoil(self, address: str) -> None:
        self._change(lambda content: content["rooms"].update({address: "closed"}))

    def take_down(self) -> None:
        self._file.rename(self._file.with_suffix(".away"))

    def bring_back(self) -> None:
        self._file.with_suffix(".away").rename(self._file)

    def refuse(self) -> None:
        self._change(lambda content: content.update(password="another"))

    def accept(self) -> None:
        self._change(lambda content: content.update(password=""))

    def wait(self, length: timedelta) -> None:
        self._moment += length
        if length.days:
            for room in ROOMS:
                self.book(room, self._moment - timedelta(hours=1), self._moment + timedelta(hours=1))

    def _change(self, change: Any) -> None:
        content = json.loads(self._file.read_text())
        change(content)
        self._file.write_text(json.dumps(content))


@pytest.mark.usefixtures("installed")
class TestConformance(Conformance):
    """The toy is what placed expects of a driver."""

    @pytest.fixture
    def service(self, installed: None, tmp_path: Path) -> Service:  # noqa: ARG002 - it has to be found first
        return ToyService(tmp_path)


# --- placed with it -----------------------------------------------------------------------------------------


@pytest.fixture
def environment(site_packages: Path) -> dict[str, str]:
    """Of a process in which the driver is installed."""
    path = [str(site_packages), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(path)}


def configured(folder: Path, broker: str) -> Path:
    now = datetime.now(UTC)
    busy = [(now - timedelta(hours=1), now + timedelta(hours=1))]
    calendars = write_calendars(folder / "calendars.json", boardroom=busy, library=[])
    file = folder / "placed.toml"
    file.write_text(
        f'[[connections]]\nname = "toys"\ndriver = "toy"\nfile = "{calendars}"\n'
        f'[polling]\ninterval = "1s"\n[mqtt]\nurl = "{broker}"\n[http]\nlisten = "127.0.0.1:0"\n'
    )
    return file


async def test_its_settings_are_checked(tmp_path: Path, environment: dict[str, str]) -> None:
    file = configured(tmp_path, "mqtt://127.0.0.1:1")
    code, program = await run(tmp_path, "check", "-c", file, environment=environment)
    assert code == 0, program.err
    assert "  connection toys: toy" in program.out
    file.write_text(file.read_text().replace("file =", "folder ="))
    code, program = await run(tmp_path, "check", "-c", file, environment=environment)
    assert code == 3
    assert any("folder" in line for line in program.err)


async def test_it_publishes_rooms_is_logged_and_has_no_proven_fence(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    arguments = ("run", "--log-format", "json", "-c", configured(tmp_path, broker.url))
    try:
        async with (
            Subscriber(broker, "placed/#") as panel,
            Program.start(tmp_path, *arguments, environment=environment) as program,
        ):
            for room, status in (("boardroom", "busy"), ("library", "free")):
                state = (await panel.message(f"placed/rooms/{room}/state")).document
                assert (state["connection"], state["status"]) == ("toys", status)
            found = await program.logged("2 rooms were found", level="info")
            assert found["logger"] == PACKAGE
            await program.logged("fence.is_unproven", connection="toys")
            url = (await program.logged("http.is_listening"))["url"]
            async with Web(url) as web:
                (connection,) = (await web.json("/api/v1/connections"))["connections"]
            assert (connection["driver"], connection["state"]) == ("toy", "ok")
            assert connection["fence"]["state"] == "unproven"
            assert connection["credential_expires_at"] is None
    finally:
        await broker.kill()


async def test_commands_report_a_missing_optional_capability(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    file = configured(tmp_path, "mqtt://127.0.0.1:1")
    code, program = await run(tmp_path, "consent", "--status", "-c", file, environment=environment)
    assert code == 2
    assert program.err == ["placed: connections.toys: the driver toy needs no consent"]
    code, program = await run(
        tmp_path, "setup", "new", "--driver", "toy", "-c", file, environment=environment
    )
    assert code == 2
    code, program = await run(tmp_path, "doctor", "toys", "-c", file, environment=environment)
    reported = "\n".join(program.out)
    assert "2 rooms can be read" in reported
    assert "the driver toy cannot try a fence" in reported
