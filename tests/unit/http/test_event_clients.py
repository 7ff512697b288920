from __future__ import annotations

from dataclasses import dataclass

from placed.http.event_clients import Waiting


@dataclass(frozen=True)
class Panel:
    """Waits for these rooms, or for everything."""

    wanted: frozenset[str] | None


ALL_NEWS, OF_A, OF_B = Panel(None), Panel(frozenset("a")), Panel(frozenset("bc"))


def test_a_new_event_wakes_waiting_clients() -> None:
    waiting: Waiting[Panel] = Waiting()
    for panel in (ALL_NEWS, OF_A, OF_B):
        waiting.add(panel)
    assert waiting.take("a") == {ALL_NEWS, OF_A}
    waiting.discard(OF_B)
    assert waiting.take("b") == set()


def test_news_of_two_rooms_wakes_once() -> None:
    waiting: Waiting[Panel] = Waiting()
    waiting.add(OF_B)
    assert waiting.take("b") == {OF_B}
    assert waiting.take("c") == set()
    waiting.add(OF_B)
    assert waiting.take("c") == {OF_B}


def test_everybody_can_be_woken() -> None:
    waiting: Waiting[Panel] = Waiting()
    waiting.add(ALL_NEWS)
    waiting.add(OF_A)
    assert waiting.take_all() == {ALL_NEWS, OF_A}
    assert waiting.take_all() == set()
