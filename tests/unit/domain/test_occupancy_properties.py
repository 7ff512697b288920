"""The rules of occupancy, for whatever meetings and settings."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from placed.domain.model import Meeting, Schedule, ShowAs, Status
from placed.domain.occupancy import Policy, judge, occupies
from tests.support.domain_builders import DAY
from tests.unit.domain.test_occupancy import edge

minutes = st.integers(-30, 24 * 60 + 30)


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    start = DAY + timedelta(minutes=draw(minutes))
    return Meeting(
        key=str(draw(st.integers(0, 99))),
        start=start,
        end=start + timedelta(minutes=draw(st.integers(-10, 300))),
        show_as=draw(st.sampled_from(ShowAs)),
        cancelled=draw(st.booleans()),
        declined=draw(st.booleans()),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    stale = draw(st.integers(1, 60))
    return Policy(
        lead=timedelta(minutes=draw(st.integers(0, 30))),
        busy_for=draw(st.frozensets(st.sampled_from(ShowAs))) - {ShowAs.FREE},
        stale_after=timedelta(minutes=stale),
        expire_after=timedelta(minutes=stale + draw(st.integers(0, 600))),
    )


days = st.lists(meetings(), max_size=8)
moments = st.builds(lambda m, s: DAY + timedelta(minutes=m, seconds=s), minutes, st.integers(0, 59))


def _schedule(items: list[Meeting], read_at: datetime) -> Schedule:
    return Schedule(tuple(items), DAY - timedelta(days=1), DAY + timedelta(days=2), read_at)


@given(days, moments, moments, policies())
def test_a_room_is_busy_just_when_a_meeting_occupies_it(
    items: list[Meeting], moment: datetime, read_at: datetime, policy: Policy
) -> None:
    occupancy = judge(_schedule(items, read_at), moment, policy).occupancy
    running = [m for m in items if occupies(m, policy) and m.start <= moment < m.end]
    if moment >= read_at + policy.expire_after:
        assert occupancy.status is Status.UNKNOWN
    else:
        assert (occupancy.status is Status.BUSY) == bool(running)
        assert len(occupancy.conflicts) == max(0, len(running) - 1)


@given(days, moments, moments, policies())
def test_nothing_changes_between_edges(
    items: list[Meeting], moment: datetime, read_at: datetime, policy: Policy
) -> None:
    known = _schedule(items, read_at)
    now = judge(known, moment, policy)
    next_edge = edge(known, moment, policy)
    if next_edge is None:
        return
    assert next_edge > moment
    between = moment + (next_edge - moment) / 2
    just_before = next_edge - timedelta(microseconds=1)
    for later in (between, max(moment, just_before)):
        assert judge(known, later, policy).occupancy == now.occupancy
    assert judge(known, next_edge, policy).occupancy != now.occupancy


@given(days, moments, moments, policies())
def test_no_state_is_valid_beyond_its_edge(
    items: list[Meeting], moment: datetime, read_at: datetime, policy: Policy
) -> None:
    known = _schedule(items, read_at)
    occupancy = judge(known, moment, policy).occupancy
    if occupancy.status is Status.UNKNOWN:
        return
    assert moment < occupancy.valid_until <= read_at + policy.expire_after
    last = judge(known, occupancy.valid_until - timedelta(microseconds=1), policy).occupancy
    assert last.status is occupancy.status
    assert (last.current, last.next) == (occupancy.current, occupancy.next)


@given(days.flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))), moments, policies())
def test_the_order_of_meetings_does_not_matter(
    orders: tuple[list[Meeting], list[Meeting]], moment: datetime, policy: Policy
) -> None:
    one, other = (judge(_schedule(items, moment), moment, policy) for items in orders)
    assert one == other


@given(days, moments, policies())
def test_busy_until_is_the_moment_at_which_the_room_really_gets_free(
    items: list[Meeting], moment: datetime, policy: Policy
) -> None:
    forever = replace(policy, stale_after=timedelta(days=9), expire_after=timedelta(days=9))
    known = _schedule(items, moment)
    occupancy = judge(known, moment, forever).occupancy
    assert not (occupancy.busy_until and occupancy.free_until)
    if occupancy.busy_until and occupancy.busy_until < known.until:
        before = judge(known, occupancy.busy_until - timedelta(microseconds=1), forever).occupancy
        after = judge(known, occupancy.busy_until, forever).occupancy
        assert (before.occupied, after.occupied) == (True, False)
    if occupancy.free_until:
        before = judge(known, occupancy.free_until - timedelta(microseconds=1), forever).occupancy
        after = judge(known, occupancy.free_until, forever).occupancy
        assert (before.occupied, after.occupied) == (False, True)
