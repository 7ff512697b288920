"""Actions of panels: POST /api/v1/rooms/<id>/actions, and GET /api/v1/actions/<key> for the outcome.

    {"key":"8e03978e-…","action":"book","room":"boardroom","outcome":"done","reason":null,"epoch":7,"seq":413}

A command is answered with its outcome if that is known within two seconds; else with 202, and `Location`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from placed.domain.action import Action, Channel, Command, Refusal
from placed.domain.command_message import LARGEST, InvalidCommand, in_utc, is_key, read_body
from placed.domain.model import CheckInState
from placed.domain.problem import Problem
from placed.domain.rate_limit import RateLimit
from placed.domain.timestamps import timestamp
from placed.http import request_body
from placed.http.api.action_answers import FIELDS, answer, document, no_such_room, too_many
from placed.http.check_in_tickets import Visitor
from placed.http.errors import HttpError
from placed.http.responses import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.action import Reply
    from placed.domain.command_message import CommandBody
    from placed.domain.command_sink import CommandSink, Execution, Offer
    from placed.domain.panel_signs import PanelSigns
    from placed.http.panel_auth import PanelGuard

MOST_PER_MINUTE = 60  # commands for a room, also those that the sink refuses, or knows already
_KEY_FIELD = "Idempotency-Key"
_NO_KEY = Problem(
    "", f"{_KEY_FIELD} is missing, or is no UUID", "send another UUID for each press of a button"
)
_NO_JSON = Problem("", "The body is not JSON", "Content-Type: application/json", joint=": ")
_NO_OUTCOME = Problem(
    "",
    "There is no command with this key",
    "outcomes are known for a day to the panels that may ask for them",
)
_TICKET_USED = Problem(
    "",
    "This meeting does not wait for a check-in any more, or the ticket is for another one",
    "the code on the panel is always a current one",
)

_UNUSED = {
    HTTPStatus.BAD_REQUEST: "not_a_command",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "not_a_command",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not_a_command",
    HTTPStatus.UNAUTHORIZED: "no_token",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "no_such_room",
    HTTPStatus.CONFLICT: "ticket_used",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}
_OTHERWISE = "other"


class ActionsApi:
    """Passes the commands of panels on.

    Args:
        board: knows the rooms.
        sink: carries the commands out.
        now: the wall clock.
        guard: finds the panel that sends a request.
        signs: notes which panels are there.
        patience: seconds in which the outcome has to be known.
        steady: a clock that is never set, in seconds.

    Attributes:
        guard: may be replaced; it counts from the next request on.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        board: Board,
        sink: CommandSink,
        now: Callable[[], datetime],
        guard: PanelGuard,
        *,
        signs: PanelSigns,
        patience: float,
        steady: Callable[[], float],
    ) -> None:
        self._board = board
        self._sink = sink
        self._now = now
        self.guard = guard
        self._signs = signs
        self._patience = patience
        self._rate_limit = RateLimit(steady)
        self._unused = UnusedRequests()

    @property
    def unused(self) -> Mapping[str, int]:
        """Requests that became no command since the start, by reason; empty without actions."""
        return self._unused.counted if self._sink.configured else {}

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Answers with the outcome of a command, or where that will be."""
        try:
            command = await self._command(request)
        except HttpError as error:
            self._unused.note(error)
            raise
        execution = self._sink.submit(command)
        return answer(await self._outcome(execution), execution.retry_after)

    async def _command(self, request: web.Request) -> Command:
        """Reads a command.

        Raises:
            HttpError: the sender may not send it, or it is none.
        """
        panel = self.guard.sender(request, request.match_info["room"])
        try:
            _check_media_type(request)
            key = _key_of(request)
            room_id = self._room_of(request)
            _check_scope(room_id, any(panel.may(room_id, action) for action in Action))
        except HttpError as error:
            error.headers |= request_body.close_if_body(request)
            raise
        body = await _body(request)
        _check_scope(room_id, panel.may(room_id, body.action), body.action)
        if isinstance(panel, Visitor) and self._sink.outcome(key) is None:
            self._check_ticket(panel, body)
        self._check_rate(room_id)
        return Command(
            key=key,
            action=body.action,
            room=room_id,
            issued_at=self._now(),
            meeting=in_utc(body.meeting),
            until=in_utc(body.until),
            channel=Channel.HTTP,
            sender=panel.name,
        )

    async def outcome(self, request: web.Request) -> web.StreamResponse:
        """Answers with the latest reply to a command, to panels that may send it."""
        reply = self._sink.outcome(request.match_info["key"])
        panel = self.guard.sender(request, reply.room if reply is not None else None)
        if reply is None or not panel.may(reply.room, reply.action):
            raise HttpError(HTTPStatus.NOT_FOUND, _NO_OUTCOME)
        return document(reply, HTTPStatus.OK)

    async def panel(self, request: web.Request) -> web.StreamResponse:
        """Answers with the rooms in which a panel may do something, and what; `?room=` asks for one.

        A request that names a room is a sign of life of a panel there.
        """
        wanted = request.query.getall("room", [])
        panel = self.guard.sender(request, wanted[0] if len(wanted) == 1 else None)
        rooms = []
        for room in self._board.rooms:
            if wanted and room.id not in wanted:
                continue
            offer = self._sink.offer(room.id)
            actions = sorted(
                action for action in (offer.actions if offer else ()) if panel.may(room.id, action)
            )
            if offer is not None and actions:
                rooms.append(self._allowed(room.id, actions, offer))
                if wanted and Action.CHECK_IN in actions and not isinstance(panel, Visitor):
                    self._signs.panel_is_there(room.id, panel.name)
        found = {"schema": 1, "panel": panel.name, "rooms": rooms}
        return web.Response(body=msgspec.json.encode(found), headers=FIELDS)

    def _allowed(self, room_id: str, actions: list[Action], offer: Offer) -> dict[str, object]:
        """What a panel may do in a room; an extension is that of the room's statement (`epoch`, `seq`)."""
        extension, statement = offer.extension, self._board.statement(room_id)
        return {
            "room": room_id,
            "actions": actions,
            "longest_seconds": round(offer.longest.total_seconds()),
            "again_seconds": round(self._signs.again(room_id).total_seconds()),
            "extension": {
                "meeting": timestamp(extension.meeting),
                "from": timestamp(extension.begin),
                "until": timestamp(extension.until),
            }
            if extension is not None and Action.EXTEND in actions
            else None,
            "epoch": statement.epoch if statement is not None else self._board.epoch,
            "seq": statement.seq if statement is not None else 0,
        }

    async def _outcome(self, execution: Execution) -> Reply:
        if not execution.reply.final:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    return await execution.final()
        return execution.reply

    def _room_of(self, request: web.Request) -> str:
        room_id = request.match_info["room"]
        if self._board.statement(room_id) is None:
            raise no_such_room({"reason": Refusal.NO_SUCH_ROOM})
        return room_id

    def _check_ticket(self, visitor: Visitor, body: CommandBody) -> None:
        """Refuses another meeting than that of the ticket, and one that was checked in to before."""
        statement = self._board.statement(visitor.room)
        check_in = statement.occupancy.check_in if statement is not None else None
        is_open = check_in is not None and check_in.state is CheckInState.OPEN
        if check_in is None or not is_open or not check_in.meeting == visitor.meeting == in_utc(body.meeting):
            raise HttpError(HTTPStatus.CONFLICT, _TICKET_USED, members={"reason": Refusal.CHANGED})

    def _check_rate(self, room_id: str) -> None:
        wait = self._rate_limit.wait(room_id, MOST_PER_MINUTE)
        if wait:
            raise too_many(wait, {"reason": Refusal.THROTTLED})


def _check_media_type(request: web.Request) -> None:
    """Refuses what a page of another site could send without asking first: a form, or text."""
    if request.content_type != JSON:
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON, headers={"Accept": JSON})


def _key_of(request: web.Request) -> str:
    """The key; the draft of the field has it in quotation marks, which may be left out."""
    field = request.headers.get(_KEY_FIELD, "").strip()
    key = field[1:-1] if len(field) > 1 and field[0] == field[-1] == '"' else field
    if len(request.headers.getall(_KEY_FIELD, [])) != 1 or not is_key(key):
        raise HttpError(HTTPStatus.BAD_REQUEST, _NO_KEY)
    return key


async def _body(request: web.Request) -> CommandBody:
    too_large = f"The command is larger than {LARGEST:,} bytes"
    body = await request_body.read_body(request, LARGEST, too_large=too_large, called="command")
    try:
        return read_body(body)
    except InvalidCommand as invalid:
        problem = Problem("", f"The command is invalid: {invalid.text}", "/openapi.json describes it")
        raise HttpError(HTTPStatus.BAD_REQUEST, problem) from None


def _check_scope(room_id: str, allowed: bool, action: str = "<action>") -> None:  # noqa: FBT001
    if not allowed:
        raise HttpError(
            HTTPStatus.FORBIDDEN,
            Problem(
                "", "This panel's token does not allow that", f"its scopes lack rooms/{room_id}:{action}"
            ),
            members={"reason": Refusal.NOT_ALLOWED},
        )


class UnusedRequests:
    """Counts requests that became no command, for /metrics: forged, malformed, too many.

    Every reason has a count from the start on.
    """

    def __init__(self) -> None:
        self._counted = Counter(dict.fromkeys([*_UNUSED.values(), _OTHERWISE], 0))

    @property
    def counted(self) -> Mapping[str, int]:
        """How many there were since the start."""
        return self._counted

    def note(self, error: HttpError) -> None:
        """Counts a request that is answered with an error."""
        self._counted[_UNUSED.get(error.status, _OTHERWISE)] += 1
