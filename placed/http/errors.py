"""Errors as RFC 9457 problem details, whatever goes wrong.

    {"type":"about:blank","title":"Not Found","status":404,"detail":"There is no room boardrom."}

`type` is always about:blank: the status identifies the problem, and `detail` explains what to do about it.
Some carry `problems`, a list of the single problems.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from placed.domain.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE = "application/problem+json"

_TITLES = {
    # Python has these words of RFC 9110 from 3.13 on, and others before.
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
}
_NO_SUCH_ADDRESS = Problem("", "There is nothing at this address", "/openapi.json lists what there is")
_NO_SUCH_METHOD = Problem("", "This address does not have that method", "Allow lists those that it has")


class HttpError(Exception):
    """An answer that is an error.

    Args:
        status: the HTTP status.
        problems: what is wrong; their lines are the `detail`.
        listed: the single problems as members of the document, if there are several.
        headers: header fields that belong to the status.
        lead: begins the `detail`.
        members: further members of the document.
    """

    def __init__(
        self,
        status: HTTPStatus,
        *problems: Problem,
        listed: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        lead: str = "",
        members: Mapping[str, Any] | None = None,
    ) -> None:
        self.detail = f"{lead}{'; '.join(problem.line for problem in problems)}."
        super().__init__(self.detail)
        self.status = status
        self.listed = listed
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    def response(self) -> web.Response:
        """The answer. No cache keeps it, because the problem may be over in a second."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": _TITLES.get(self.status, self.status.phrase),
            "status": self.status.value,
            "detail": self.detail,
            **self.members,
        }
        if self.listed:
            document["problems"] = list(self.listed)
        response = web.Response(
            status=self.status,
            body=msgspec.json.encode(document),
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )
        if self.headers.get("Connection") == "close":
            response.force_close()
        return response


@dataclass(frozen=True, slots=True)
class Mistake:
    """A parameter of a query that is unknown or has an invalid value."""

    parameter: str
    found: str
    expected: str

    @property
    def problem(self) -> Problem:
        """The mistake as a problem."""
        return Problem(self.parameter, f"expected {self.expected}", found=f"found {self.found!r}")


def bad_request(*mistakes: Mistake) -> HttpError:
    """The answer to a query with mistakes; it lists all of them."""
    return HttpError(
        HTTPStatus.BAD_REQUEST,
        *(mistake.problem for mistake in mistakes),
        listed=[asdict(mistake) for mistake in mistakes],
    )


def no_such_address() -> HttpError:
    """The answer where there is nothing."""
    return HttpError(HTTPStatus.NOT_FOUND, _NO_SUCH_ADDRESS)


def no_such_method(allowed: str) -> HttpError:
    """The answer to a method that the address does not have."""
    return HttpError(HTTPStatus.METHOD_NOT_ALLOWED, _NO_SUCH_METHOD, headers={"Allow": allowed})


def of_aiohttp(error: web.HTTPException) -> HttpError:
    """What aiohttp itself raises, before there is a handler: for `OPTIONS *`, for example."""
    status = HTTPStatus(error.status)
    if status is HTTPStatus.NOT_FOUND:
        return no_such_address()
    return HttpError(status, Problem("", status.description or status.phrase))


def unforeseen() -> HttpError:
    """The answer to an unforeseen error."""
    return HttpError(
        HTTPStatus.INTERNAL_SERVER_ERROR, Problem("", "Internal error", "look for the cause in the log")
    )
