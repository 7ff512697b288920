"""How soon the poller asks again for rooms and connections that failed, and what it logs."""

from __future__ import annotations

from itertools import pairwise

from structlog.testing import capture_logs

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.driver import NotPermitted, Refused, Unavailable
from tests.unit.polling.poller_setup import PollerSetup


async def test_a_throttled_room_is_not_read_before_its_retry_after() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing["two"] = (Reason.THROTTLED, 7.5)
    await poller_setup.steps(1)
    poller_setup.driver.failing.clear()
    await poller_setup.steps(40)
    assert poller_setup.asked() == [(0, "one two"), (8, "two"), (30, "one two")]


async def test_a_long_retry_after_is_kept_to_across_rounds() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing["two"] = (Reason.THROTTLED, 70.0)
    await poller_setup.steps(1)
    poller_setup.driver.failing.clear()
    await poller_setup.steps(70)
    assert poller_setup.asked() == [(0, "one two"), (30, "one"), (60, "one"), (70, "two"), (90, "one two")]


async def test_a_retry_after_of_nothing_is_no_invitation_to_hammer() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.failing["one"] = (Reason.THROTTLED, 0.0)
    await poller_setup.steps(60)
    assert [when for when, _ in poller_setup.asked()] == [0, 1, 3, 7, 15, 31]


async def test_a_refused_room_is_read_at_growing_intervals() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing["two"] = (Reason.FORBIDDEN, None)
    await poller_setup.steps(1800)
    with_two = [when for when, rooms in poller_setup.asked() if "two" in rooms]
    assert with_two[:5] == [0, 30, 90, 210, 450]
    assert {b - a for a, b in pairwise(with_two[4:])} == {300}
    assert len([1 for _, rooms in poller_setup.asked() if "one" in rooms]) == 60
    assert poller_setup.status("two") == (Status.UNKNOWN, Reason.FORBIDDEN)
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.poller.health.state is ConnectionState.OK
    assert list(poller_setup.poller.health.failing or {}) == ["two"]


async def test_a_failure_is_logged_when_it_begins_and_when_it_is_over() -> None:
    poller_setup = PollerSetup("one", "two")
    poller_setup.driver.failing = {"one": (Reason.NOT_FOUND, None), "two": (Reason.NOT_FOUND, None)}
    with capture_logs() as logs:
        await poller_setup.steps(200)
        poller_setup.driver.failing.clear()
        await poller_setup.steps(300)
    events = [(entry["event"], entry.get("count")) for entry in logs]
    assert events == [
        ("rooms.were_found", 2),
        ("fence.was_verified", None),
        ("rooms.became_unreadable", 2),
        ("rooms.became_readable", 2),
        ("consent.changed", None),
    ]


async def test_one_failing_room_harms_no_other() -> None:
    poller_setup = PollerSetup("one", "two", "three", "four", "five")
    poller_setup.driver.failing = {
        "two": (Reason.FORBIDDEN, None),
        "three": (Reason.NOT_FOUND, None),
        "four": (Reason.THROTTLED, 30),
        "five": (Reason.MALFORMED, None),
    }
    await poller_setup.steps(1000)
    assert poller_setup.status("one") == (Status.FREE, None)
    for room, (reason, _) in poller_setup.driver.failing.items():
        assert poller_setup.status(room) == (Status.UNKNOWN, reason)


async def test_a_connection_that_is_down_is_tried_again_soon_and_then_less_soon() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.broken = Unavailable("Graph cannot be reached")
    with capture_logs() as logs:
        await poller_setup.steps(200)
        poller_setup.driver.broken = None
        await poller_setup.steps(100)
    whens = [when for when, _ in poller_setup.asked()]
    assert whens[:9] == [0, 30, 31, 33, 37, 45, 61, 91, 121]
    assert [entry["event"] for entry in logs] == ["connection.failed", "connection.recovered"]
    assert poller_setup.poller.health.state is ConnectionState.OK


async def test_a_connection_that_is_refused_takes_its_rooms_back_and_is_tried_every_five_minutes() -> None:
    poller_setup = PollerSetup("one")
    await poller_setup.steps(1)
    poller_setup.driver.broken = Refused("sign-in refused: AADSTS7000222", remedy="make a new secret")
    await poller_setup.steps(1000)
    assert [when for when, _ in poller_setup.asked()] == [0, 30, 330, 630, 930]
    assert poller_setup.status("one") == (Status.UNKNOWN, Reason.REFUSED)
    assert poller_setup.poller.health.state is ConnectionState.REFUSED
    assert poller_setup.poller.health.problem == poller_setup.driver.broken.problem
    assert poller_setup.driver.broken.problem.remedy == "make a new secret"
    poller_setup.driver.broken = None
    await poller_setup.steps(400)
    assert poller_setup.status("one") == (Status.FREE, None)
    assert poller_setup.poller.health.problem is None


async def test_missing_permission_is_not_hammered_either() -> None:
    poller_setup = PollerSetup("one")
    poller_setup.driver.undiscoverable = NotPermitted("Graph answered 403 Authorization_RequestDenied")
    await poller_setup.steps(1000)
    assert poller_setup.driver.discoveries == 6  # after 30, 60, 120, 240 and 300 seconds
