"""A connection's own interval counts unless the settings name one, and what is stale follows it."""

from __future__ import annotations

from datetime import timedelta

from placed.driver import ConnectionSettings, Query, Read
from placed.polling.planner_factory import planner_for
from placed.settings.polling_settings import Polling
from tests.support.domain_builders import DAY, room

MINUTE = timedelta(minutes=1)


def again_within(polling: Polling, usual: timedelta | None) -> tuple[float, timedelta]:
    """After how many seconds the next round is due, and what is noted of that at a reading."""
    planner = planner_for(polling, MINUTE, lambda: 0.0, lambda _rooms: 0.0, usual)
    planner.enroll([room()])
    planner.take_due(0.0)
    noted = planner.succeeded(Read(Query(room(), DAY, DAY), DAY, ()), 0.0)
    return planner.next, noted


def test_the_settings_go_before_the_connection_s_own_interval() -> None:
    assert Polling().interval_of(None) == timedelta(seconds=30)
    assert Polling().interval_of(MINUTE) == MINUTE
    assert Polling(days_ahead=2).interval_of(MINUTE) == MINUTE
    assert Polling.model_validate({"interval": "30s"}).interval_of(MINUTE) == timedelta(seconds=30)


def test_connections_have_none_of_their_own_by_default() -> None:
    assert ConnectionSettings(name="contoso", driver="toy").usual_interval is None


def test_a_longer_interval_makes_no_room_stale() -> None:
    assert again_within(Polling(), None) == (30.0, timedelta())
    assert again_within(Polling(), MINUTE) == (60.0, MINUTE)
    assert again_within(Polling.model_validate({"interval": "10s"}), MINUTE) == (10.0, timedelta())
