"""A request of the simulated services, and the errors of Graph."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.app_access import Caller
    from placed_simulator.http_messages import ItemRecord

GRAPH_JSON = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One call of Microsoft Graph: a request of its own, or one item of a batch.

    Attributes:
        method: upper case.
        target: path and query below `/v1.0`, percent-encoded as it was sent, beginning with a slash.
        headers: the names in lower case.
        caller: the caller, by the access token.
        request_id: the service's own id of this call.
        moment: when it arrived, aware UTC.
        items: filled by a batch with what it held, for the request log.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    caller: Caller
    request_id: str
    moment: datetime
    body: bytes = b""
    items: list[ItemRecord] = field(default_factory=list)

    @property
    def client_request_id(self) -> str:
        """The id that the client gave, or the service's where it gave none."""
        return self.headers.get("client-request-id", self.request_id)


def timestamp(moment: datetime) -> str:
    """`2026-10-06T07:00:00Z`, the form of a DateTimeOffset in Graph."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def graph_error(  # noqa: PLR0913 - an error of Graph has this many parts
    request: Request,
    status: int,
    code: str,
    message: str,
    *,
    retry_after: str | None = None,
    inner_code: str | None = None,
) -> Reply:
    """An error in the shape of Graph (Microsoft: graph/errors)."""
    inner = {
        "date": request.moment.strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request.request_id,
        "client-request-id": request.client_request_id,
    }
    if inner_code is not None:
        inner = {"code": inner_code, **inner}
    body = json.dumps({"error": {"code": code, "message": message, "innerError": inner}}).encode()
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return Reply(status, body, GRAPH_JSON, headers)
