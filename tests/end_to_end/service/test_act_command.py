"""`placed act` with a running daemon and a simulated calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.acting_panels import TOKEN, with_actions
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.deployment import Deployment


def token_file(folder: Path, token: str = TOKEN) -> str:
    path = folder / "panel-token"
    write_secret(path, token)
    return str(path)


async def test_a_room_is_booked_extended_and_ended_at_a_terminal(deployment: Deployment) -> None:
    with_actions(deployment)
    file = token_file(deployment.folder)
    async with deployment.daemon() as running:

        async def act(*arguments: str) -> tuple[int, str]:
            code, program = await run(
                deployment.folder, "act", *arguments, "--url", running.url, "--panel-token-file", file
            )
            return code, "\n".join((*program.out, *program.err))

        code, words = await act("boardroom", "book", "--minutes", "30")
        assert code == 0, words
        assert words.startswith("boardroom: book: done until ")
        assert len(deployment.tenant.meetings("boardroom")) == 1
        assert await act("boardroom", "book", "--minutes", "30") == (
            1,
            "boardroom: book: refused (conflict): the room is booked at that time.",
        )
        assert (await act("boardroom", "book"))[0] == 2
        code, words = await act("nowhere", "book", "--minutes", "30")
        assert (code, "There is no room with this id" in words) == (1, True)
        code, words = await act("library", "end")
        assert (code, "there is no such meeting now" in words) == (1, True)


async def test_a_wrong_token_is_reported(deployment: Deployment) -> None:
    with_actions(deployment)
    async with deployment.daemon() as running:
        file = token_file(deployment.folder, "wrong")
        code, program = await run(
            deployment.folder,
            *("act", "boardroom", "book", "--minutes", "5", "--url", running.url, "--panel-token-file", file),
        )
    assert code == 1
    assert "That is not the token of a panel" in program.err[-1]
    assert deployment.tenant.meetings("boardroom") == []


@pytest.mark.parametrize(
    "arguments",
    [["end", "--minutes", "5"], ["end", "--meeting", "nine"], ["explode"], ["book", "--minutes", "0"]],
)
async def test_a_mistake_is_a_matter_of_usage(tmp_path: Path, arguments: list[str]) -> None:
    file = token_file(tmp_path)
    code, _ = await run(tmp_path, "act", "boardroom", *arguments, "--panel-token-file", file)
    assert code == 2
