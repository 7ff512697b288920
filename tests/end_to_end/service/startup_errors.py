"""What `placed run` complains of when it can not start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.placed_process import Program, run

if TYPE_CHECKING:
    from tests.support.daemon_environment import Stage

LOG = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[(info|warning|error) *\] ")  # a line of the log


def complaints(program: Program) -> list[str]:
    """What it said on stderr, beside the log; there is no other kind of line, so no traceback either."""
    said = [line for line in program.err if not LOG.match(line)]
    assert all(line.startswith("placed: ") for line in said), "\n".join(program.err)
    assert not program.out
    return [line.removeprefix("placed: ") for line in said]


async def complains(stage: Stage) -> list[str]:
    """What `placed run` complains of before it ends with code 3."""
    code, program = await run(stage.folder, "run", "-c", stage.file)
    assert code == 3, "\n".join(program.err)
    return complaints(program)


def edit(stage: Stage, before: str, after: str) -> None:
    """Somebody makes a mistake in the configuration."""
    text = stage.configure().read_text()
    assert before in text
    stage.file.write_text(text.replace(before, after))
