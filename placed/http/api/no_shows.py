"""`/api/v1/no-shows`: meetings to which nobody checked in, by connection; numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed.domain.state_document import SCHEMA
from placed.http.responses import Representation

if TYPE_CHECKING:
    from aiohttp import web

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
