"""The metric family of no-shows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric


def no_show_families(counts: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    """The metric family of no-shows, by mode and by what became of them."""
    family = CounterMetricFamily(
        "placed_no_shows",
        "Meetings since the start to which nobody checked in, by what became of them.",
        labels=("mode", "outcome"),
    )
    for labels, number in sorted(counts.items()):
        family.add_metric(labels, number)
    if counts:
        yield family
