"""What a truthful panel shows of the presence in a room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Status
from placed.panel.received_documents import PresenceHeard
from tests.unit.panel.test_state_validity import at, bridge, panel, state, time

if TYPE_CHECKING:
    from placed.panel.state_validity import Heard


def sensed(word: str = "present", use: object = "unbooked", **more: object) -> Heard:
    """A state with a presence that is valid for five minutes."""
    presence = {"state": word, "count": 3, "since": time(-60), "valid_until": time(300)}
    return state(presence=presence | more, use=use)


def test_the_presence_of_a_room_is_shown_beside_its_status() -> None:
    shown = panel(sensed()).shows("boardroom", at())
    assert shown.presence == PresenceHeard("present", at(-60).wall, at(300).wall, 3)
    assert (shown.status, shown.use) == (Status.FREE, "unbooked")
    without = panel(state()).shows("boardroom", at())
    assert (without.presence, without.use) == (None, None)


def test_a_presence_is_unknown_once_its_own_valid_until_has_passed() -> None:
    one = panel(sensed(valid_until=time(60)))
    assert one.holds(at(50)) == 10
    shown = one.shows("boardroom", at(60))
    assert shown.presence == PresenceHeard("unknown", at(60).wall, at(900).wall)
    assert (shown.status, shown.use) == (Status.FREE, None)


def test_a_presence_is_shown_of_a_room_whose_calendar_is_unknown_but_not_without_the_daemon() -> None:
    heard = state(
        status="unknown",
        presence={"state": "empty", "count": None, "since": time(-60), "valid_until": time(300)},
        use=None,
    )
    one = panel(heard)
    presence = one.shows("boardroom", at()).presence
    assert presence is not None
    assert presence.state == "empty"
    one.hear(bridge("offline"), at(1))
    assert one.shows("boardroom", at(1)).presence is None


@pytest.mark.parametrize(
    "presence",
    [
        "present",
        ["present"],
        {"state": "present"},
        {"state": 1, "since": time(0), "valid_until": time(300)},
        {"state": "present", "since": time(0), "valid_until": "soon"},
        {"state": "present", "since": time(0), "valid_until": time(300), "count": -1},
        {"state": "present", "since": time(0), "valid_until": time(300), "count": 10**30},
    ],
)
def test_an_invalid_presence_is_none_and_the_status_is_shown(presence: object) -> None:
    shown = panel(state(presence=presence, use="used")).shows("boardroom", at())
    assert (shown.status, shown.why, shown.presence, shown.use) == (Status.FREE, None, None, None)


@pytest.mark.parametrize("use", ["a use of tomorrow", 1, ["used"], {"used": 1}])
def test_a_use_that_is_not_known_here_is_not_shown(use: object) -> None:
    shown = panel(sensed(use=use)).shows("boardroom", at())
    assert shown.presence is not None
    assert shown.use is None
