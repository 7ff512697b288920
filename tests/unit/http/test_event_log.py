from __future__ import annotations

import asyncio

from placed.domain.connection_health import ConnectionHealth
from placed.http.event_log import PORTION, Entry, Ledger
from placed.http.waiters import Bells

SOMETHING = ConnectionHealth("contoso", "microsoft365")


def entry(subject: str, seq: int) -> Entry:
    return Entry(subject, seq, SOMETHING)


def frame(of: Entry) -> bytes:
    return f"-{of.subject}".encode() if of.news is None else f"{of.subject}{of.seq}".encode()


def told(entries: list[Entry]) -> str:
    return " ".join(frame(e).decode() for e in entries)


def test_only_the_latest_of_each_is_kept_in_the_order_of_their_seq() -> None:
    ledger = Ledger(frame)
    for subject, seq in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        ledger.note(entry(subject, seq))
    assert told(ledger.after(0)) == "b2 a3 c4"
    assert told(ledger.after(2)) == "a3 c4"
    assert told(ledger.after(4)) == ""
    assert told(ledger.after(0, frozenset("bc"))) == "b2 c4"
    assert ledger.last == 4


def test_it_is_read_in_portions_that_all_who_have_got_equally_far_share() -> None:
    long = PORTION // 2
    ledger = Ledger(lambda e: e.subject.encode() * long if e.seq <= len("abcde") else frame(e))
    for seq, subject in enumerate("abcde", start=1):
        ledger.note(entry(subject, seq))
    first = ledger.portion(0)
    assert first is not None
    assert (len(first.frames), first.last) == (2 * long, 2)
    assert ledger.portion(0) is first
    second = ledger.portion(first.last)
    assert second is not None
    ledger.note(entry("d", 6), entry("e", 7))  # meanwhile
    third = ledger.portion(second.last)
    assert third is not None
    assert (third.frames, third.last) == (b"d6e7", 7)
    assert ledger.portion(third.last) is None
    mine = ledger.portion(0, frozenset("ad"))
    assert mine is not None
    assert (mine.frames[:1], mine.frames[-2:], mine.last) == (b"a", b"d6", 6)


def test_who_is_new_is_not_told_of_what_went_before_but_of_what_goes_meanwhile() -> None:
    ledger = Ledger(frame)
    ledger.note(entry("a", 1), Entry("b", 2, None), entry("c", 3))
    first = ledger.portion(0, without_gone=3)
    assert first is not None
    assert (first.frames, first.last) == (b"a1c3", 3)
    ledger.note(Entry("a", 4, None))
    second = ledger.portion(0, without_gone=3)
    assert second is not None
    assert (second.frames, second.last) == (b"c3-a", 4)


def test_what_is_told_late_takes_its_place() -> None:
    """A client that stops after any of them may come again with that one's id and misses nothing."""
    ledger = Ledger(frame)
    ledger.note(entry("a", 1), entry("b", 2))
    ledger.note(entry("new", 5))
    ledger.note(entry("a", 3), entry("b", 4))
    assert told(ledger.after(0)) == "a3 b4 new5"
    assert ledger.last == 5


def test_a_frame_is_made_once_and_not_before_it_is_wanted() -> None:
    made: list[Entry] = []

    def make(of: Entry) -> bytes:
        made.append(of)
        return frame(of)

    ledger = Ledger(make)
    ledger.note(kept := entry("a", 1))
    assert made == []
    for subjects in (None, None, frozenset("a")):
        assert ledger.portion(0, subjects) is not None
    assert made == [kept]


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
