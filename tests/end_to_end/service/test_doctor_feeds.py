"""`placed doctor` with iCalendar feeds: every way in which a feed fails has one next step, its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor import Chart, examine
from placed.driver import Surroundings
from placed.settings.loader import load
from placed_icalendar.simulator.feed_host import Fault, FeedHost, Kind, Publisher
from placed_icalendar.simulator.feed_host.feed_building import settings_toml
from tests.support.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TRUSTED = "every"  # the finding that no trial changes: everybody who has the link


@dataclass
class Connection:
    """A connection to feeds that holds, and the doctor that looks at it."""

    deployment: Deployment
    host: FeedHost
    table: str

    async def findings(self, *, details: bool = False) -> list[dict[str, Any]]:
        """What is not good, apart from what is always so."""
        self.deployment.connections = [self.table]
        self.deployment.configure()
        surroundings = Surroundings(self.deployment.clock.now, 8, details=details, version="1.2.3")
        found = examine(load(self.deployment.file), surroundings, self.deployment.state_directory)
        document = Chart.of([item async for item in found]).document()
        for room in self.host.publisher.rooms():
            assert room.secret not in str(document)
        return [
            one
            for one in document["findings"]
            if one["verdict"] != "good" and not one["said"].startswith(TRUSTED)
        ]


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[Connection]:
    async with Deployment.open(tmp_path) as deployment:
        publisher = Publisher(now=deployment.clock.now)
        for room in ("aquarium", "library", "studio"):
            publisher.add_room(room)
            now = deployment.clock.now()
            publisher.book(room, now, now.replace(microsecond=0))
        async with FeedHost(publisher) as host:
            yield Connection(deployment, host, settings_toml(host, tmp_path))


async def test_a_connection_that_holds_has_no_findings(connection: Connection) -> None:
    assert await connection.findings() == []


ROWS = [
    pytest.param({"kind": Kind.LOGIN}, "set username and password_file", id="401"),
    pytest.param({"kind": Kind.STATUS, "status": 403}, "have the calendar shared with the user", id="403"),
    pytest.param({"kind": Kind.STATUS, "status": 404}, "the publisher made a new link", id="404"),
    pytest.param({"kind": Kind.STATUS, "status": 410}, "the publisher made a new link", id="410"),
    pytest.param({"kind": Kind.LOGIN_PAGE}, "open the link in a private window", id="a page"),
    pytest.param({"kind": Kind.BOMB}, "have the calendar published from yesterday on", id="too large"),
    pytest.param({"kind": Kind.SHORT}, "open the link in a calendar program", id="cut off"),
    pytest.param({"kind": Kind.EMPTY}, "open the link in a calendar program", id="empty"),
    pytest.param({"kind": Kind.LOOP}, "open the address in a browser", id="a loop"),
    pytest.param({"kind": Kind.STATUS, "status": 429}, "wait some minutes", id="429"),
    pytest.param({"kind": Kind.STATUS, "status": 500}, "wait a minute", id="500"),
    pytest.param({"kind": Kind.DROP}, "wait a minute", id="no answer"),
]


@pytest.mark.parametrize(("fault", "remedy"), ROWS)
async def test_every_failure_of_a_feed_is_reported_with_its_own_next_step(
    connection: Connection, fault: dict[str, Any], remedy: str
) -> None:
    connection.host.publisher.faults.add(Fault(room="library", **fault))
    found = [one for one in await connection.findings() if one["check"] == "readable"]
    (finding,) = found
    assert "2 of 3 rooms can be read; 1" in finding["said"]
    assert finding["said"].endswith(": library")
    assert finding["remedy"].startswith(remedy)


async def test_two_causes_of_one_reason_are_two_findings(connection: Connection) -> None:
    connection.host.publisher.faults.add(Fault(kind=Kind.LOGIN_PAGE, room="library"))
    connection.host.publisher.faults.add(Fault(kind=Kind.SHORT, room="studio"))
    found = [one for one in await connection.findings() if one["check"] == "readable"]
    assert sorted(one["said"].rpartition(": ")[2] for one in found) == ["library", "studio"]
    assert len({one["remedy"] for one in found}) == 2


async def test_a_certificate_of_another_authority_is_reported_once(
    connection: Connection, tmp_path: Path
) -> None:
    import trustme  # noqa: PLC0415 - as the simulator does

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    connection.table = connection.table.replace(str(connection.host.ca_file), str(other))
    found = await connection.findings()
    first = next(one for one in found if not one["blocked_by"])
    assert (first["check"], first["verdict"]) == ("tls", "bad")
    assert "ca_file" in first["remedy"]
    assert {one["remedy"] for one in found if one["verdict"] == "bad"} == {first["remedy"]}


async def test_a_readable_canary_is_a_breach(connection: Connection) -> None:
    connection.host.publisher.add_room("ada")
    link = connection.host.link_of("ada")
    before, _, after = connection.table.partition('canaries = ["')
    connection.table = f'{before}canaries = ["{link}{after[after.index(chr(34)) :]}'
    (finding,) = [one for one in await connection.findings() if one["check"] == "canaries"]
    assert finding["verdict"] == "bad"
    assert "people's calendars" in finding["remedy"]
