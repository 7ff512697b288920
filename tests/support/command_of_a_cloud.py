"""A cloud's command line that a kit's scripts call, as a program of our own on a PATH."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


class CommandOfACloud:
    """Runs scripts for bash with it; its state is a file.

    Args:
        folder: for the program and its state.
        program: the Python file that is run when a script calls the command.
        name: of the command, such as `az`.
        variable: of the environment, that names the file with the state to the program.
        state: with which it begins.
        changing: words of calls that change something.
    """

    def __init__(  # noqa: PLR0913 - what is different between clouds
        self,
        folder: Path,
        program: Path,
        *,
        name: str,
        variable: str,
        state: Mapping[str, Any],
        changing: Collection[str],
    ) -> None:
        self.file = folder / "cloud.json"
        self._variable = variable
        self._changing = changing
        self._bin = folder / "bin"
        self._bin.mkdir()
        command = self._bin / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        command.chmod(0o755)
        self.file.write_text(json.dumps(state))

    @property
    def state(self) -> Any:
        return json.loads(self.file.read_text())

    @property
    def changes(self) -> list[list[str]]:
        """The calls that change something."""
        return [call for call in self.state["calls"] if any(word in self._changing for word in call)]

    def run(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self._bin}{os.pathsep}/usr/bin{os.pathsep}/bin",
            self._variable: str(self.file),
            "PLACED_PATIENCE": "0",
        }
        return subprocess.run(
            ["bash", script, *arguments],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
