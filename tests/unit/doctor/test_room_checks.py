"""What `placed doctor` makes of rooms that can and cannot be read."""

from __future__ import annotations

from datetime import timedelta

from placed.doctor.room_checks import Tally
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.driver import (
    Failed,
    Finding,
    Query,
    Read,
    Unavailable,
)
from tests.support.domain_builders import DAY, room
from tests.unit.doctor.test_checks import BAD, DOUBTFUL, GOOD


def tally(readable: int, **failed: tuple[Reason, str, str]) -> Tally:
    """So many rooms are readable, and each of the others failed for this reason, with a detail and remedy."""
    counted = Tally(readable + len(failed), timedelta(hours=2))
    for number in range(readable):
        counted.add(Read(Query(room(f"room-{number}"), DAY, DAY), DAY, ()))
    for name, (reason, detail, remedy) in failed.items():
        counted.add(Failed(Query(room(name), DAY, DAY), reason, Problem("", detail, remedy)))
    return counted


def test_rooms_that_can_all_be_read_are_counted() -> None:
    assert tally(2000).findings() == [Finding.of("readable", GOOD, "2,000 rooms can be read")]


def test_a_room_that_is_refused_while_others_are_not_is_outside_the_group_or_not_yet_in_it() -> None:
    (finding,) = tally(1, vault=(Reason.FORBIDDEN, "403 ErrorAccessDenied", "consent")).findings()
    assert finding.verdict is DOUBTFUL
    assert finding.text == "1 of 2 rooms can be read; 1 refused (403 ErrorAccessDenied): vault"
    assert finding.remedy.startswith("not in the fence's group, or not yet")


def test_where_a_grant_takes_no_time_there_is_no_group_and_the_service_s_remedy_counts() -> None:
    refused = (Reason.FORBIDDEN, "403", "share the calendar")
    counted = tally(1, vault=refused)
    counted.grant_delay = timedelta(0)
    (finding,) = counted.findings()
    assert finding.remedy == "share the calendar"


def test_failures_of_one_reason_with_other_remedies_are_reported_each() -> None:
    one, other = ((Reason.MALFORMED, text, f"correct {text}") for text in ("a page", "a bad time"))
    found = tally(1, first=one, second=other, third=one).findings()
    assert [(finding.text, finding.remedy) for finding in found] == [
        ("1 of 4 rooms can be read; 2 not understood (a page): first, third", "correct a page"),
        ("1 of 4 rooms can be read; 1 not understood (a bad time): second", "correct a bad time"),
    ]


def test_each_kind_of_failure_is_reported_with_example_rooms_and_a_remedy() -> None:
    lost = {f"lost-{n}": (Reason.NOT_FOUND, "404 ErrorInvalidUser", "check the address") for n in range(7)}
    slow = {"slow": (Reason.THROTTLED, "429 TooManyRequests", "")}
    found = tally(1, **slow, **lost).findings()
    some = "lost-0, lost-1, lost-2, lost-3, lost-4"
    assert [(finding.verdict, finding.text, finding.remedy) for finding in found] == [
        (
            DOUBTFUL,
            f"1 of 9 rooms can be read; 7 not found (404 ErrorInvalidUser): {some} and 2 more",
            "check the address",
        ),
        (
            DOUBTFUL,
            "1 of 9 rooms can be read; 1 throttled (429 TooManyRequests): slow",
            "wait some minutes, then run this again; if it persists, set polling.concurrency lower",
        ),
    ]


def test_where_none_can_be_read_the_chain_is_broken() -> None:
    counted = tally(0, vault=(Reason.FORBIDDEN, "403 ErrorAccessDenied", "run placed consent"))
    assert counted.only_refused
    (finding,) = counted.findings()
    assert (finding.verdict, finding.remedy) == (BAD, "run placed consent")


def test_an_interrupted_reading_reports_its_progress() -> None:
    counted = Tally(3)
    counted.add(Read(Query(room(), DAY, DAY), DAY, ()))
    (finding,) = counted.findings(Unavailable("Graph cannot be reached"))
    assert finding.verdict is DOUBTFUL
    assert finding.text == "1 of 3 rooms can be read, then: Graph cannot be reached"
    assert finding.remedy == "wait a minute, then run placed doctor again"
    (finding,) = Tally(3).findings(Unavailable("Graph cannot be reached"))
    assert (finding.verdict, finding.text) == (BAD, "Graph cannot be reached")
