from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.http.boards import Site
    from tests.http.endpoint import Endpoint


async def test_the_pages_lead_to_every_room(endpoint: Endpoint) -> None:
    page = await endpoint.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'<a href="/rooms/atrium">Atrium</a>' in page.body
    room = await endpoint.get("/rooms/atrium")
    assert b'<a href="/api/v1/rooms/atrium">' in room.body


async def test_a_name_is_no_markup(endpoint: Endpoint, site: Site) -> None:
    rooms = site.enrolled["contoso"]
    rooms["atrium"] = replace(rooms["atrium"], name='<script>alert("1")</script>')
    site.add()
    for path in ("/", "/rooms/atrium"):
        body = (await endpoint.get(path)).body
        assert b"<script" not in body
        assert b"&lt;script&gt;" in body
