"""Packets of one MQTT 5 connection that lack their answer, by packet identifier, with its deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from placed.mqtt.client import timeouts
from placed.mqtt.client.reason_code import FAILURE, ReasonCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.mqtt.client.mqtt_error import MqttError

    Acknowledged = Callable[[ReasonCode | None], None]

_LARGEST_ID = 0xFFFF  # of a packet: MQTT 5, 2.2.1


class Unanswered:
    """What the broker has not answered yet.

    Args:
        late: called when a publish is not acknowledged in time.
    """

    def __init__(self, late: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._late = late
        self._last_id = 0
        # In the order in which they were sent, with the time until which the PUBACK has to be there.
        self._publishes: dict[int, tuple[Acknowledged, float]] = {}
        self._requests: dict[int, asyncio.Future[tuple[ReasonCode, ...]]] = {}  # SUBSCRIBE and UNSUBSCRIBE
        self._awaited: set[asyncio.Future[Any]] = set()  # answers that somebody waits for
        self._deadline: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many messages lack their PUBACK."""
        return len(self._publishes)

    def new_answer(self) -> asyncio.Future[Any]:
        """Returns a future for an answer of the broker; it fails when the connection is lost."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        answer.add_done_callback(_retrieve)
        answer.add_done_callback(self._awaited.discard)
        self._awaited.add(answer)
        return answer

    def next_id(self) -> int:
        """Returns a packet identifier that is not in use."""
        packet_id = self._last_id % _LARGEST_ID + 1
        while packet_id in self._publishes or packet_id in self._requests:
            packet_id = packet_id % _LARGEST_ID + 1
        self._last_id = packet_id
        return packet_id

    def add_publish(self, packet_id: int, acknowledged: Acknowledged) -> None:
        """A PUBLISH was sent."""
        self._publishes[packet_id] = acknowledged, self._loop.time() + timeouts.ANSWER
        if self._deadline is None:
            self._deadline = self._loop.call_later(timeouts.ANSWER, self._check)

    def acknowledge(self, packet_id: int, code: int) -> None:
        """A PUBACK arrived."""
        waiting = self._publishes.pop(packet_id, None)
        if waiting is not None:
            waiting[0](ReasonCode(code) if code >= FAILURE else None)

    def add_request(self, packet_id: int, answer: asyncio.Future[tuple[ReasonCode, ...]]) -> None:
        """A SUBSCRIBE or an UNSUBSCRIBE is sent."""
        self._requests[packet_id] = answer

    def answer(self, packet_id: int, codes: tuple[ReasonCode, ...]) -> None:
        """A SUBACK or an UNSUBACK arrived."""
        answer = self._requests.get(packet_id)
        if answer is not None and not answer.done():
            answer.set_result(codes)

    def forget_request(self, packet_id: int) -> None:
        """Nobody waits for the answer any more."""
        self._requests.pop(packet_id, None)

    def close(self, error: Callable[[], MqttError]) -> None:
        """The connection is over, for this cause: nothing is acknowledged any more."""
        self._publishes.clear()
        if self._deadline is not None:
            self._deadline.cancel()
        for answer in list(self._awaited):
            if not answer.done():
                answer.set_exception(error())

    def _check(self) -> None:
        self._deadline = None
        oldest = next(iter(self._publishes.values()), None)
        if oldest is None:
            return
        left = oldest[1] - self._loop.time()
        if left > 0:
            self._deadline = self._loop.call_later(left, self._check)
        else:
            self._late()


def _retrieve(answer: asyncio.Future[object]) -> None:
    """Retrieves the error of an answer that nobody may wait for any more, or asyncio warns of it."""
    if not answer.cancelled():
        answer.exception()
