"""Addresses of rooms that the directory lists by their object ids alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from placed.driver import FoundRoom
from placed_microsoft365.address_of_object_id import RoomAddressLookup
from placed_microsoft365.graph.response import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence


class Directory:
    """Reports whose each mailbox is."""

    def __init__(self, **owners: str) -> None:
        self.owners = owners

    async def batch(self, urls: Sequence[str]) -> Answer:
        mailboxes = [url.split("/")[2] for url in urls]
        responses = [
            {"id": str(n), "status": 200, "body": {"owner": {"address": self.owners[mailbox]}}}
            for n, mailbox in enumerate(mailboxes)
        ]
        return Answer(200, None, json.dumps({"responses": responses}).encode(), "")


async def test_an_address_now_used_by_another_mailbox_is_resolved_again() -> None:
    directory = Directory(one="a@contoso.example")
    lookup = RoomAddressLookup(directory)  # type: ignore[arg-type]
    one, two = (FoundRoom(name, name, object_id=name) for name in ("one", "two"))
    assert [room.address for room in await lookup.complete([one])] == ["a@contoso.example"]
    directory.owners = {"one": "b@contoso.example", "two": "a@contoso.example"}
    found = await lookup.complete([one, two])
    assert [room.address for room in found] == ["b@contoso.example", "a@contoso.example"]
