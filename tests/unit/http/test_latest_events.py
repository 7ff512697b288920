from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.domain.connection_health import ConnectionHealth
from placed.http.latest_events import PORTION, Entry, LatestEvents

if TYPE_CHECKING:
    from collections.abc import Iterable

SOMETHING = ConnectionHealth("contoso", "microsoft365")


def entry(subject: str, seq: int) -> Entry:
    return Entry(subject, seq, SOMETHING)


def frame(of: Entry) -> bytes:
    return f"-{of.subject}".encode() if of.news is None else f"{of.subject}{of.seq}".encode()


def listed(entries: Iterable[Entry]) -> str:
    return " ".join(frame(e).decode() for e in entries)


def test_only_the_latest_of_each_is_kept_in_the_order_of_their_seq() -> None:
    events = LatestEvents(frame)
    for subject, seq in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        events.note(entry(subject, seq))
    assert listed(events.after(0)) == "b2 a3 c4"
    assert listed(events.after(2)) == "a3 c4"
    assert listed(events.after(4)) == ""
    assert listed(events.after(0, frozenset("bc"))) == "b2 c4"
    assert events.last == 4


def test_clients_at_the_same_position_share_portions() -> None:
    long = PORTION // 2
    events = LatestEvents(lambda e: e.subject.encode() * long if e.seq <= len("abcde") else frame(e))
    for seq, subject in enumerate("abcde", start=1):
        events.note(entry(subject, seq))
    first = events.portion(0)
    assert first is not None
    assert (len(first.frames), first.last) == (2 * long, 2)
    assert events.portion(0) is first
    second = events.portion(first.last)
    assert second is not None
    events.note(entry("d", 6), entry("e", 7))  # meanwhile
    third = events.portion(second.last)
    assert third is not None
    assert (third.frames, third.last) == (b"d6e7", 7)
    assert events.portion(third.last) is None
    mine = events.portion(0, frozenset("ad"))
    assert mine is not None
    assert (mine.frames[:1], mine.frames[-2:], mine.last) == (b"a", b"d6", 6)


def test_removals_before_a_client_connected_are_not_sent_to_it() -> None:
    events = LatestEvents(frame)
    events.note(entry("a", 1), Entry("b", 2, None), entry("c", 3))
    first = events.portion(0, without_gone=3)
    assert first is not None
    assert (first.frames, first.last) == (b"a1c3", 3)
    events.note(Entry("a", 4, None))
    second = events.portion(0, without_gone=3)
    assert second is not None
    assert (second.frames, second.last) == (b"c3-a", 4)


def test_it_holds_little_more_than_the_latest_of_each() -> None:
    events = LatestEvents(frame)
    for seq in range(1, 10_001):
        events.note(entry("abc"[seq % 3], seq))
    assert listed(events.after(0)) == "c9998 a9999 b10000"
    assert len(events._in_order) < 200


def test_what_was_replaced_or_dropped_holds_no_statement_and_no_bytes() -> None:
    events = LatestEvents(frame)
    replaced, dropped, latest = entry("a", 1), entry("b", 2), entry("a", 3)
    events.note(replaced, dropped)
    events.portion(0)
    assert replaced.frame is not None
    events.note(latest)
    events.drop("b")
    assert [(e.news, e.frame) for e in (replaced, dropped)] == [(None, None), (None, None)]
    assert latest.news is SOMETHING


def test_a_dropped_subject_is_sent_to_no_client_until_it_returns() -> None:
    events = LatestEvents(frame)
    events.note(entry("a", 1), entry("b", 2))
    events.drop("a")
    assert listed(events.after(0)) == "b2"
    assert listed(events.after(0, frozenset("a"))) == ""
    events.note(entry("a", 3))
    assert listed(events.after(0)) == "b2 a3"


def test_late_entries_are_sorted_by_their_sequence_number() -> None:
    """A client that stops after any of them may come again with that one's id and misses nothing."""
    events = LatestEvents(frame)
    events.note(entry("a", 1), entry("b", 2))
    events.note(entry("new", 5))
    events.note(entry("a", 3), entry("b", 4))
    assert listed(events.after(0)) == "a3 b4 new5"
    assert events.last == 5


def test_a_frame_is_made_once_and_not_before_it_is_wanted() -> None:
    made: list[Entry] = []

    def make(of: Entry) -> bytes:
        made.append(of)
        return frame(of)

    events = LatestEvents(make)
    events.note(kept := entry("a", 1))
    assert made == []
    for subjects in (None, None, frozenset("a")):
        assert events.portion(0, subjects) is not None
    assert made == [kept]


async def test_a_long_reading_gives_way_after_each_portion() -> None:
    """A client that reads as fast as the events are sent must not hold up an edge."""
    events = LatestEvents(lambda e: e.subject.encode() * PORTION)
    events.note(*(entry(subject, seq) for seq, subject in enumerate("abcde", start=1)))
    turns = sent = 0

    async def everything_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def send(_frames: bytes) -> None:
        nonlocal sent
        sent += 1

    other = asyncio.create_task(everything_else())
    assert await events.read(send, 0) == events.last
    other.cancel()
    assert sent == 5
    assert turns >= 4
