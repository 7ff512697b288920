from __future__ import annotations

import asyncio

from placed.http.bells import Bells
from placed.http.ledger import Entry, Ledger


def entry(subject: str, seq: int) -> Entry:
    return Entry(subject, seq, gone=False, make=f"{subject}{seq}".encode)


def told(entries: list[Entry]) -> str:
    return " ".join(e.frame.decode() for e in entries)


def test_only_the_latest_of_each_is_kept_in_the_order_of_their_seq() -> None:
    ledger = Ledger()
    for subject, seq in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        ledger.note(entry(subject, seq))
    assert told(ledger.after(0)) == "b2 a3 c4"
    assert told(ledger.after(2)) == "a3 c4"
    assert told(ledger.after(4)) == ""
    assert told(ledger.after(0, frozenset("bc"))) == "b2 c4"
    assert ledger.last == 4


def test_what_is_told_late_takes_its_place() -> None:
    """A client that stops after any of them may come again with that one's id and misses nothing."""
    ledger = Ledger()
    ledger.note(entry("a", 1), entry("b", 2))
    ledger.note(entry("new", 5))
    ledger.note(entry("a", 3), entry("b", 4))
    assert told(ledger.after(0)) == "a3 b4 new5"
    assert ledger.last == 5


def test_a_frame_is_made_once_and_not_before_it_is_wanted() -> None:
    made: list[str] = []

    def make() -> bytes:
        made.append("made")
        return b"frame"

    kept = Entry("a", 1, gone=False, make=make)
    assert made == []
    assert kept.frame is kept.frame
    assert made == ["made"]


def test_news_wakes_who_waits_for_it() -> None:
    bells = Bells()
    all_news, of_a, of_b = asyncio.Event(), asyncio.Event(), asyncio.Event()
    bells.hang(all_news, None)
    bells.hang(of_a, {"a"})
    bells.hang(of_b, {"b", "c"})
    bells.ring("a")
    assert (all_news.is_set(), of_a.is_set(), of_b.is_set()) == (True, True, False)
    bells.take_down(of_b, {"b", "c"})
    bells.ring("b")
    assert not of_b.is_set()


def test_everybody_can_be_woken() -> None:
    bells = Bells()
    all_news, of_a = asyncio.Event(), asyncio.Event()
    bells.hang(all_news, None)
    bells.hang(of_a, {"a"})
    bells.ring_all()
    assert all_news.is_set()
    assert of_a.is_set()
