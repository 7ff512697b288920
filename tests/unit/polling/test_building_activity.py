"""How busy a building seems to be."""

from __future__ import annotations

import pytest

from placed.polling.building_activity import CalendarActivity

HOUR = 3600.0


def busy(changes: int) -> CalendarActivity:
    bustle = CalendarActivity()
    for _ in range(changes):
        bustle.changed(1000.0)
    return bustle


def test_before_anything_is_known_it_is_as_busy_as_can_be() -> None:
    assert CalendarActivity().share(1000.0) == 1.0


def test_it_quietens_when_nothing_changes_any_more() -> None:
    bustle = busy(100)
    shares = [bustle.share(1000.0 + hours * HOUR) for hours in (0, 0.5, 1, 3)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert shares[1] == pytest.approx(0.5, abs=0.05)
    assert shares[3] < 0.1


def test_a_few_changes_tell_little() -> None:
    assert busy(2).share(1000.0 + 3 * HOUR) > 0.5


def test_a_quiet_week_makes_it_as_busy_as_ever() -> None:
    assert busy(100).share(1000.0 + 14 * 24 * HOUR) > 0.5


def test_a_clock_that_is_set_back_harms_nothing() -> None:
    bustle = busy(100)
    assert bustle.share(0.0) == 1.0
