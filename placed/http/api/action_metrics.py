"""The metric families of commands and of what writes to calendars, which are absent where nothing is. Pure.

placed_actions_total{action="book",outcome="done",reason=""} 12.0
placed_commands_unused_total{channel="mqtt",reason="retained"} 3.0
placed_writer_fence_state{connection="contoso",state="verified"} 1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from placed.driver import FenceState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from placed.domain.action import Action, Outcome, Refusal
    from placed.domain.connection_health import ConnectionHealth


def action_families(
    counts: Mapping[tuple[Action, Outcome, Refusal | None], int],
    unused: Mapping[str, Mapping[str, int]],
    connections: Iterable[ConnectionHealth],
) -> Iterator[Metric]:
    """Returns the families; none where there was no command and nothing writes."""
    if counts:
        commands = CounterMetricFamily(
            "placed_actions",
            "Commands since the start, by what was asked for and what became of it.",
            labels=("action", "outcome", "reason"),
        )
        for (action, outcome, reason), count in sorted(counts.items(), key=str):
            commands.add_metric((action.value, outcome.value, reason.value if reason else ""), count)
        yield commands
    if any(unused.values()):
        messages = CounterMetricFamily(
            "placed_commands_unused",
            "Messages and requests since the start that became no command, and replies that were not sent.",
            labels=("channel", "reason"),
        )
        for channel, by_reason in sorted(unused.items()):
            for reason_word, count in sorted(by_reason.items()):
                messages.add_metric((channel, reason_word), count)
        yield messages
    fences = [(health.name, health.writer_fence) for health in connections if health.writer_fence is not None]
    if fences:
        state = GaugeMetricFamily(
            "placed_writer_fence_state",
            "1 for what is known of the fence of what writes to calendars.",
            labels=("connection", "state"),
        )
        for name, fence in fences:
            for possible in FenceState:
                state.add_metric((name, possible.value), fence.state is possible)
        yield state
