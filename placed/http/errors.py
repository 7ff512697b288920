"""Errors as RFC 9457 problem details, whatever goes wrong.

    {"type":"about:blank","title":"Not Found","status":404,"detail":"There is no room boardrom."}

`type` is always about:blank: the status identifies the problem, and `detail` explains what to do about it.
Some carry `problems`, a list of the single problems.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    # Python has these words of RFC 9110 from 3.13 on, and others before.
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
}
_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address; /openapi.json lists what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not have that method; Allow lists those that it has.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large; nothing here wants one.",
}


class Problem(Exception):
    """An answer that is an error.

    Args:
        status: the HTTP status.
        detail: one or two sentences for the client.
        problems: the single problems, if there are several.
        headers: header fields that belong to the status.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        problems: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = problems
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The answer. No cache keeps it, because the problem may be over in a second."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": _TITLES.get(self.status, self.status.phrase),
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.problems:
            document["problems"] = list(self.problems)
        response = web.Response(
            status=self.status,
            body=msgspec.json.encode(document),
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )
        if self.headers.get("Connection") == "close":
            response.force_close()
        return response


def of_aiohttp(error: web.HTTPException) -> Problem:
    """What aiohttp itself raises: there is nothing at the address, or not with that method."""
    status = HTTPStatus(error.status)
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return Problem(status, _DETAILS.get(status, status.description or status.phrase), headers=headers)


def unforeseen() -> Problem:
    """The answer to an unforeseen error."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here; the log says what.")
