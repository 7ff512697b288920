"""Redirects of a gateway or a captive portal pass, and are no malformed data of a room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from placed.driver import Unavailable
from placed.driver.network.http_session import HttpResponse
from tests.drivers.icalendar.caldav.caldav_setup import words

if TYPE_CHECKING:
    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup


class Portal:
    """Answers each request with a redirect."""

    def __init__(self, status: int, location: str) -> None:
        self._answer = HttpResponse(status, {"Location": location} if location else {}, b"<html>", None)

    async def request(self, *_args: object) -> HttpResponse:
        return self._answer

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("status", "location", "text"),
    [
        (302, "https://portal.example/login?u=secret", "portal.example, which gets no password"),
        (307, "http://who:secret@portal.example/", "portal.example, which gets no password"),
        (302, "https://[", "to no address"),
        (302, "/secret", "without an end"),
        (303, "https://portal.example/secret", "redirect (303)"),
    ],
)
async def test_a_redirect_by_something_between_passes_and_names_the_gateway(
    caldav_setup: CalDavSetup, status: int, location: str, text: str
) -> None:
    driver = caldav_setup.open()
    client = cast("Any", driver)._client
    own, client._session = client._session, Portal(status, location)
    with pytest.raises(Unavailable) as raised:
        await caldav_setup.read(driver)
    problem = raised.value.problem
    assert text in problem.text
    assert "gateway" in problem.remedy
    assert "secret" not in problem.line
    assert not problem.lasting
    client._session = own
    assert words(await caldav_setup.read(driver)) == ["read", "read"]
