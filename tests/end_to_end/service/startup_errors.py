"""The errors of a `placed run` that cannot start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.placed_process import Program, run

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

LOG = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[(info|warning|error) *\] ")  # a line of the log


def complaints(program: Program) -> list[str]:
    """Its lines on stderr, beside the log; there is no other kind of line, so no traceback either."""
    output = [line for line in program.err if not LOG.match(line)]
    assert all(line.startswith("placed: ") for line in output), "\n".join(program.err)
    assert not program.out
    return [line.removeprefix("placed: ") for line in output]


async def complains(deployment: Deployment) -> list[str]:
    """What `placed run` complains of before it ends with code 3."""
    code, program = await run(deployment.folder, "run", "-c", deployment.file)
    assert code == 3, "\n".join(program.err)
    return complaints(program)


def edit(deployment: Deployment, before: str, after: str) -> None:
    """Somebody makes a mistake in the configuration."""
    text = deployment.configure().read_text()
    assert before in text
    deployment.file.write_text(text.replace(before, after))
