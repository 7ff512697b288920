"""How long a test waits for what has to come."""

from __future__ import annotations

from typing import Final

# Only a guard against waiting for ever, and no promise of the program: on a machine with ten times more to do
# than it has cores, everything takes ten times as long. It is below the timeout of a test in pyproject.toml.
DEADLINE: Final = 120.0  # seconds
