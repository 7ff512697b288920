"""`/api/v1/no-shows`: meetings to which nobody checked in, by connection; numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from prometheus_client.core import CounterMetricFamily

from placed.domain.state_document import SCHEMA
from placed.http.responses import Representation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiohttp import web
    from prometheus_client.core import Metric

    from placed.domain.no_show_report import NoShowReport


class NoShowsApi:
    """Answers with the numbers of this and the last week.

    Args:
        report: has the numbers; None if there are none.
    """

    def __init__(self, report: NoShowReport | None) -> None:
        self._report = report

    async def no_shows(self, request: web.Request) -> web.StreamResponse:
        """`{"schema":1,"connections":[{"connection":"contoso","mode":"rehearse",…}]}`."""
        documents = self._report.documents() if self._report is not None else []
        return await Representation(msgspec.json.encode({"schema": SCHEMA, "connections": documents})).answer(
            request
        )


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
