"""Today's meetings of rooms, for their timelines: `/api/v1/days?room=boardroom&room=atrium`.

    {"schema":1,"epoch":7,"days":[
      {"room":"boardroom","date":"2026-01-08","time_zone":"Europe/Berlin",
       "since":"2026-01-07T23:00:00Z","until":"2026-01-08T23:00:00Z",
       "observed_at":"…Z","valid_until":"…Z","meetings":[{"start":"…Z","end":"…Z","title":null,…}]}]}

A day is that of the room's own time zone, so it may have 23 or 25 hours. It lists the meetings that occupy
the room, with the fields that the privacy settings allow. `meetings` is null if nothing valid is known.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from placed.domain.model import whole_days
from placed.domain.occupancy import expiry, occupies
from placed.domain.problem import Problem
from placed.domain.state_document import SCHEMA, meeting_document
from placed.domain.timestamps import timestamp, timestamp_or_none
from placed.http.api import room_filters as filters
from placed.http.errors import HttpError
from placed.http.responses import Representation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiohttp import web

    from placed.board.board import Board
    from placed.board.room_entry import KnownRoom
    from placed.domain.occupancy import Policy
    from placed.domain.privacy import Show

MOST = 200  # rooms in a request; a page asks for those that are visible


class RoomDayApi:
    """Answers with the day of rooms."""

    def __init__(self, board: Board, now: Callable[[], datetime]) -> None:
        self._board = board
        self._now = now

    async def days(self, request: web.Request) -> web.StreamResponse:
        """The days of the requested rooms, in that order; rooms that do not exist are left out."""
        filters.known_only(request.query, ("room",))
        asked = request.query.getall("room", [])
        if not 0 < len(asked) <= MOST:
            expected = f"1 to {MOST} rooms"
            raise HttpError(
                HTTPStatus.BAD_REQUEST,
                Problem("room", f"expected {expected}", found=f"found {len(asked)} of them"),
                listed=[{"parameter": "room", "found": str(len(asked)), "expected": expected}],
            )
        moment = self._now()
        days = [
            day_document(
                known,
                moment,
                self._board.policy,
                self._board.show,
                time_is_known=self._board.time_is_known,
            )
            for room_id in dict.fromkeys(asked)
            if (known := self._board.known_of(room_id)) is not None
        ]
        document = {"schema": SCHEMA, "epoch": self._board.epoch, "days": days}
        return await Representation(msgspec.json.encode(document)).answer(request)


def day_document(
    known: KnownRoom, moment: datetime, policy: Policy, show: Show, *, time_is_known: bool
) -> dict[str, Any]:
    """The day of a room in which `moment` lies."""
    room, schedule = known.room, known.schedule if time_is_known else None
    today = moment.astimezone(room.time_zone).date()
    since, until = whole_days(today, today + timedelta(days=1), room.time_zone)
    expires = expiry(schedule, moment, policy, known.failure) if schedule else None
    meetings = None
    if schedule is not None and expires is not None and schedule.since <= moment < expires:
        meetings = sorted(
            (m for m in schedule.meetings if m.start < until and m.end > since and occupies(m, policy)),
            key=lambda m: (m.start, m.end, m.key),
        )
    known_now = meetings is not None
    return {
        "room": room.id,
        "date": today.isoformat(),
        "time_zone": room.time_zone.key,
        "since": timestamp(since),
        "until": timestamp(until),
        "observed_at": timestamp_or_none(schedule.read_at if schedule and known_now else None),
        "valid_until": timestamp_or_none(expires if known_now else None),
        "meetings": None if meetings is None else [meeting_document(m, show) for m in meetings],
    }
