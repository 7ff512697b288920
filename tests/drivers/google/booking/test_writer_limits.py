"""The answer to a write is limited in size and in time, and the key of actions is a secret as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from placed.driver import Book, SettingsError
from placed.driver.network import http_session
from placed_google.simulator import Fault, Kind, Where
from tests.drivers.google.booking.writer_setup import ROOM, outcome
from tests.drivers.google.driver_setup import at

if TYPE_CHECKING:
    from tests.drivers.google.booking.writer_setup import WriterSetup

BOOK = Book("6f0c", ROOM, at(8), at(9), "")


async def test_an_answer_that_is_too_large_is_unclear(
    writer_setup: WriterSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = writer_setup.open()
    await writer.look(ROOM, at(0), at(24))
    monkeypatch.setattr(http_session, "LARGEST", 5)
    assert outcome(await writer.write(BOOK)) == "unclear"
    assert len(writer_setup.events()) == 1


async def test_an_answer_that_is_too_late_is_unclear(
    writer_setup: WriterSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_session, "_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    writer = writer_setup.open()
    await writer.look(ROOM, at(0), at(24))
    writer_setup.workspace.faults.add(Fault(kind=Kind.DELAY, where=Where.API, seconds=30.0))
    assert outcome(await writer.write(BOOK)) == "unclear"


@pytest.mark.parametrize(("mode", "doing"), [(0o644, "read"), (0o602, "changed")])
def test_a_key_that_everybody_can_read_is_refused(writer_setup: WriterSetup, mode: int, doing: str) -> None:
    writer_setup.key_file().chmod(mode)
    with pytest.raises(SettingsError, match=f"can be {doing} by every user") as caught:
        writer_setup.open()
    assert caught.value.problem.key == "actions.key_file"
