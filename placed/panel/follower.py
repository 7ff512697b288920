"""Has a panel hear what the broker says, and stays at it: for `placed watch`."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING

from placed.mqtt.backoff import Patience
from placed.mqtt.client_options import address_of
from placed.mqtt.errors import BrokerLost
from placed.panel.rules import Moment
from placed.panel.subscription import subscribed

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.domain.clock import Clock
    from placed.mqtt.errors import Trouble
    from placed.panel.rules import Panel
    from placed.panel.subscription import Subscription
    from placed.settings.schema import Mqtt

_SETTLED = 1.0  # seconds without a message, after which what the broker holds has come
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")


class NotWatching(Exception):
    """There is no connection. `lasting` if only a person can mend that."""

    def __init__(self, text: str, *, lasting: bool) -> None:
        super().__init__(text)
        self.lasting = lasting


class Watching:
    """Keeps a panel told.

    Args:
        settings: of the broker.
        panel: hears what comes.
        clock: what it is told the time by.
        news: is called when something came, with the room that it is about, or None.

    Attributes:
        trouble: why there is no connection now; None while there is one.
    """

    def __init__(
        self, settings: Mqtt, panel: Panel, clock: Clock, news: Callable[[str | None], None]
    ) -> None:
        self.broker = address_of(settings)
        self.trouble: NotWatching | None = None
        self._settings = settings
        self._panel = panel
        self._clock = clock
        self._news = news
        self.settled = asyncio.Event()

    def moment(self) -> Moment:
        """Now, as the panel wants it."""
        return Moment(self._clock.now(), self._clock.steady())

    async def once(self) -> None:
        """Until what the broker holds has come.

        Raises:
            NotWatching: there is no connection.
            CannotStart: files that the settings name can not be used.
        """
        try:
            await self._connection(once=True)
        except BrokerLost as lost:
            raise self._told(lost.trouble) from lost

    async def run(self) -> None:
        """For ever; comes back when it was cut off.

        Raises:
            NotWatching: the first connection was refused for what only a person can mend.
            CannotStart: files that the settings name can not be used.
        """
        patience = Patience(_FIRST_PAUSE, _LONGEST_PAUSE, random.random)
        while True:
            try:
                await self._connection(once=False)
            except BrokerLost as lost:
                trouble = self._told(lost.trouble)
                if trouble.lasting and not self.settled.is_set():
                    raise trouble from lost
                if self.trouble is None and self.settled.is_set():
                    patience.restore()
                self.trouble = trouble
            self._panel.disconnect()
            self._news(None)
            await asyncio.sleep(patience.pause())

    async def _connection(self, *, once: bool) -> None:
        try:
            await self._one_connection(once=once)
        except BrokerLost as lost:
            refused = lost.trouble.lasting and lost.trouble.key == "protocol"
            if not refused or "protocol" in self._settings.model_fields_set:
                raise
            # Nobody said which version; older brokers speak 3.1.1 alone.
            self._settings = self._settings.model_copy(update={"protocol": "3.1.1"})
            await self._one_connection(once=once)

    async def _one_connection(self, *, once: bool) -> None:
        async with subscribed(self._settings, self._panel.topics) as subscription:
            await self._catch_up(subscription)
            self.trouble = None
            self._panel.connect()
            self.settled.set()
            self._news(None)
            while not once:
                message = await subscription.next()
                self._news(self._panel.hear(message, self.moment()))

    async def _catch_up(self, subscription: Subscription) -> None:
        """Hears what the broker holds. It does not say where that ends."""
        while not self._panel.complete:
            try:
                async with asyncio.timeout(_SETTLED):
                    message = await subscription.next()
            except TimeoutError:
                return
            self._panel.hear(message, self.moment())

    def _told(self, trouble: Trouble) -> NotWatching:
        text = f"{self.broker}: {_ERRNO.sub('', trouble.text)}"
        if trouble.lasting:
            return NotWatching(f"mqtt.{trouble.key}: {text}; {trouble.remedy}", lasting=True)
        advice = f"; {trouble.advice}" if trouble.advice else ""
        return NotWatching(f"{text}{advice}", lasting=False)
