"""Sends refused messages again when it is time, tries those that were left out, and logs both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from placed.mqtt.refused_topic_schedule import TICK
from placed.mqtt.topics import Importance

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.mqtt.current_messages import CurrentMessages
    from placed.mqtt.publisher_context import PublisherContext
    from placed.mqtt.refused_topic_schedule import Refusal
    from placed.mqtt.sender import Sender

_log = structlog.get_logger()


class Redelivery:
    """The redelivery over one connection.

    Args:
        context: of the session.
        sender: sends the messages.
        current: makes the messages that are true now.
        reported: called when messages begin to be refused, or when all are taken again.
    """

    def __init__(
        self,
        context: PublisherContext,
        sender: Sender,
        current: CurrentMessages,
        reported: Callable[[], None],
    ) -> None:
        self._context = context
        self._sender = sender
        self._current = current
        self._reported = reported

    async def run(self) -> None:
        """Queues refused messages again when they are due, until it is cancelled."""
        loop, sender = asyncio.get_running_loop(), self._sender
        refusals, causes = self._context.refusals, self._context.disconnect_causes
        refusals.restart(loop.time())
        while True:
            if not refusals.any_scheduled() and not causes.active:
                sender.delivery.refused.clear()
                await sender.delivery.refused.wait()
            await asyncio.sleep(TICK)
            for refusal in refusals.due(loop.time()):
                self._repeat(refusal)
            quiet = sender.all_acknowledged and not sender.delivery.in_flight and not sender.waiting
            if causes.active and quiet:
                topic = causes.next_trial(loop.time())
                if topic is not None and "+" not in topic:  # the next event is the trial of a pattern
                    self._try(topic)

    def _repeat(self, refusal: Refusal) -> None:
        """Queues what is true now for the topic, or the event if it has not expired."""
        context, topic, now = self._context, refusal.topic, self._context.now()
        if "+" in topic:  # the next event is the trial of a pattern
            return
        if refusal.event is not None:
            again = [refusal.event]
        else:
            again = list(self._current.for_topic(topic, clear_first=refusal.clears))
        again = [message for message in again if not message.expired(now)]
        if not again:
            context.refusals.remove(refusal.key)
            context.delivery_changed.set()
            self._sender.check_first_published()
            self._sender.put(())  # wakes the workers, which check whether all is published
        elif refusal.clears:
            self._sender.put_row(again)
        else:
            urgent = context.topics.importance_of(topic) is not Importance.OPTIONAL
            self._sender.put(again, urgent=urgent)

    def _try(self, topic: str) -> None:
        """Queues a message that is left out, once."""
        again = list(self._current.for_topic(topic))
        if not again:
            self._context.disconnect_causes.forget(topic)
        self._sender.put(again, urgent=True)

    async def log(self) -> None:
        """Logs when the broker begins to refuse messages, and when it takes all again."""
        changed = self._context.delivery_changed
        try:
            while True:
                await changed.wait()
                await asyncio.sleep(self._context.timing.debounce)  # there may be more of the same kind
                changed.clear()
                self._log_changes()
        finally:
            self._log_changes()

    def _log_changes(self) -> None:
        began, over = self._context.refusals.changes()
        for group in began:
            _log.warning(
                "broker.refused_messages",
                topics=group.topics,
                reason=group.reason.value,
                problem=group.problem.text,
                remedy=group.problem.remedy,
            )
        if began or over:
            self._reported()
        if over:
            _log.info("broker.takes_messages_again")
