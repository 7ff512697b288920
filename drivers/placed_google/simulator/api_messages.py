"""A call of an API, the errors of APIs, and how JSON is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from placed_simulator.http_messages import HTML, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from placed_google.simulator.workspace.cloud_accounts import Caller
    from placed_simulator.http_messages import ItemRecord

JSON = "application/json; charset=UTF-8"
NO_PAGE = Reply(404, b"<html><title>Error 404 (Not Found)!!1</title></html>", HTML)
"""The page for a path that no method has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """A request of its own, or one part of a batch.

    Attributes:
        target: path and query as they were sent.
        headers: the names in lower case.
        moment: when it arrived, aware UTC.
        items: filled by a batch with what it held, for the request log.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    caller: Caller
    moment: datetime
    body: bytes = b""
    items: list[ItemRecord] = field(default_factory=list)

    @property
    def parts(self) -> tuple[str, ...]:
        """The segments of the path, decoded."""
        return segments(self.target)

    @property
    def query(self) -> dict[str, str]:
        """The query; of a name that is given more than once the last value."""
        return dict(_parameters(self.target.partition("?")[2]))

    def all(self, name: str) -> list[str]:
        """Every value of a name in the query."""
        return [value for key, value in _parameters(self.target.partition("?")[2]) if key == name]

    def json(self, document: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        """An answer; with indentation unless `prettyPrint` is off, as by default."""
        pretty = self.query.get("prettyPrint", "true") != "false"
        return Reply(status, _written(document, pretty=pretty), JSON, headers)

    def empty(self) -> Reply:
        """An answer without a body."""
        return Reply(204)


@lru_cache(maxsize=1000)
def _parameters(query: str) -> tuple[tuple[str, str], ...]:
    """The parts of a query, which are asked for again and again."""
    return tuple(parse_qsl(query, keep_blank_values=True))


def _written(document: object, *, pretty: bool) -> bytes:
    if pretty:
        return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def segments(target: str) -> tuple[str, ...]:
    """The segments of a path, decoded."""
    return tuple(unquote(part) for part in target.partition("?")[0].strip("/").split("/"))


class ApiError(Exception):
    """An API refuses.

    Attributes:
        status, reason, domain: of the first error.
        location: the parameter or header that is wrong.
        details: as newer hosts add them, with `rpc_status`.
    """

    def __init__(  # noqa: PLR0913 - an error has this many parts
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: tuple[str, str] | None = None,
        rpc_status: str | None = None,
        details: tuple[Mapping[str, object], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.domain = domain
        self.location = location
        self.rpc_status = rpc_status
        self.details = details
        self.headers = headers

    def reply(self) -> Reply:
        """As it is answered."""
        first: dict[str, object] = {"domain": self.domain, "reason": self.reason, "message": str(self)}
        if self.location is not None:
            first |= dict(zip(("locationType", "location"), self.location, strict=True))
        error: dict[str, object] = {"code": self.status, "message": str(self), "errors": [first]}
        if self.rpc_status is not None:
            error["status"] = self.rpc_status
        if self.details:
            error["details"] = list(self.details)
        return Reply(self.status, _written({"error": error}, pretty=True), JSON, self.headers)


def not_found() -> ApiError:
    """A calendar or an event that does not exist, or is not shared: nobody can see the difference."""
    return ApiError(HTTPStatus.NOT_FOUND, "notFound", "Not Found")


def invalid(parameter: str, message: str, reason: str = "invalidParameter") -> ApiError:
    """A parameter of the query that has no such value."""
    return ApiError(HTTPStatus.BAD_REQUEST, reason, message, location=("parameter", parameter))


def unauthorized() -> ApiError:
    """The token is missing, expired or withdrawn."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "authError",
        "Invalid Credentials",
        location=("header", "Authorization"),
        rpc_status="UNAUTHENTICATED",
        headers=(("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/", error="invalid_token"'),),
    )


def insufficient_scope() -> ApiError:
    """The token is for other scopes."""
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
    }
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        rpc_status="PERMISSION_DENIED",
        details=(reason,),
        headers=(
            ("WWW-Authenticate", 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'),
        ),
    )


def api_disabled(title: str, service: str, project: int) -> ApiError:
    """The API is not enabled in the project of the service account."""
    message = (
        f"{title} has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{service}/overview?project={project} then retry. "
        "If you enabled this API recently, wait a few minutes for the action to propagate to our systems "
        "and retry."
    )
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": service, "consumer": f"projects/{project}"},
    }
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "accessNotConfigured",
        message,
        domain="usageLimits",
        rpc_status="PERMISSION_DENIED",
        details=(reason,),
    )
