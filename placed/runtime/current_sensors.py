"""The sensors as the daemon runs them: a reload replaces what changed of them, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.sensors.sensor_message_intake import SensorReadings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.sensor_traffic import MessageResult
    from placed.runtime.replaceable_tasks import ReplaceableTasks
    from placed.sensors.counts import SensorCounts
    from placed.sensors.routing import Route
    from placed.sensors.sensor_broker_connection import SensorSubscription
    from placed.sensors.sensor_plan import SensorPlan


class CurrentSensors:
    """Listens to the brokers of sensors, and takes in what webhooks are sent.

    Args:
        board: takes their readings.
        now: the wall clock.
        plan: what it begins with.
    """

    def __init__(self, board: Board, now: Callable[[], datetime], plan: SensorPlan) -> None:
        self._readings = SensorReadings(board, now)
        self._plan = plan
        self._subscriptions: dict[str | None, SensorSubscription] = {}

    @property
    def counts(self) -> SensorCounts:
        """What of their messages was used, and what was not."""
        return self._readings.counts

    @property
    def subscriptions(self) -> Mapping[str | None, SensorSubscription]:
        """The connections, by the names of the brokers' tables; None is `[mqtt]`."""
        return self._subscriptions

    @property
    def configured(self) -> bool:
        """See `SensorTraffic`."""
        return bool(self._plan.routes)

    @property
    def messages(self) -> Mapping[MessageResult, int]:
        """See `SensorTraffic`."""
        return self.counts.results

    @property
    def brokers(self) -> Mapping[str, bool]:
        """See `SensorTraffic`."""
        return {
            "mqtt" if name is None else f"sensor_brokers.{name}": subscription.connected.is_set()
            for name, subscription in self._subscriptions.items()
        }

    @property
    def links(self) -> int | None:
        """Another number after each gap in what brokers pass on; None while one of them is not connected."""
        subscriptions = self._subscriptions.values()
        if len(subscriptions) < len(self._plan.links) or not all(
            subscription.connected.is_set() for subscription in subscriptions
        ):
            return None
        return sum(subscription.connections + subscription.dropped for subscription in subscriptions)

    def enroll(self) -> None:
        """Sets the sensors on the board: their rooms have a presence from now on."""
        self._readings.change(self._plan.routes)

    def start(self, tasks: ReplaceableTasks) -> None:
        """Begins to listen to the brokers. It waits for none."""
        for name in self._plan.links:
            self._begin(name, tasks)

    async def change(self, to: SensorPlan, tasks: ReplaceableTasks) -> None:
        """Takes up other tables. Connections whose broker and sensors are the same go on."""
        before, self._plan = self._plan, to
        changed = [
            name
            for name in before.links.keys() | to.links.keys()
            if name not in before.links or not before.links[name].is_same(to.links.get(name))
        ]
        for name in changed:
            if self._subscriptions.pop(name, None) is not None:
                await tasks.end(_task_name(name))
        if not before.is_same(to):
            self._readings.change(to.routes)
        for name in changed:
            if name in to.links:
                self._begin(name, tasks)

    def _begin(self, name: str | None, tasks: ReplaceableTasks) -> None:
        from placed.sensors.sensor_broker_connection import SensorSubscription  # noqa: PLC0415 - where there are any

        subscription = SensorSubscription(self._plan.links[name], self._readings)
        self._subscriptions[name] = subscription
        tasks.begin(_task_name(name), subscription.run)

    # --- webhooks ---

    def token(self, name: str) -> bytes | None:
        """The token of a sensor's webhook; None if there is no such webhook."""
        return self._plan.tokens.get(name)

    def most_per_minute(self, name: str) -> int:
        """How many messages a minute a webhook takes."""
        return self._route(name).most_per_minute

    def receive(self, name: str, payload: bytes) -> str | None:
        """Takes in what a webhook was sent; returns why that gives no reading, or None."""
        return self._readings.receive(self._route(name), payload)

    def _route(self, name: str) -> Route:
        return next(route for route in self._plan.routes if route.name == name)


def _task_name(name: str | None) -> str:
    return "sensors" if name is None else f"sensors of {name}"
