"""The kit's scripts for bash, run with the little cloud of `fake_gcloud.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.deadlines import DEADLINE

CHANGING = ("create", "delete", "enable")


def new_private_key() -> str:
    """What Google makes."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Gcloud:
    """The little cloud, and its `gcloud` on a PATH."""

    def __init__(self, folder: Path, private_key: str, **differences: Any) -> None:
        self.file = folder / "cloud.json"
        self._bin = folder / "bin"
        self._bin.mkdir()
        program = self._bin / "gcloud"
        program.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("fake_gcloud.py")}" "$@"\n'
        )
        program.chmod(0o755)
        state = {
            "signed_in": True,
            "projects": [],
            "accounts": [],
            "taken": [],
            "keys_forbidden": False,
            "slow": 0,
            "lag": 0,
            "private_key": private_key,
            "calls": [],
        }
        self.file.write_text(json.dumps(state | differences))

    @property
    def state(self) -> Any:
        return json.loads(self.file.read_text())

    def become(self, **differences: Any) -> None:
        self.file.write_text(json.dumps(self.state | differences))

    @property
    def keys(self) -> list[str]:
        """The ids of the only account's keys."""
        (account,) = self.state["accounts"]
        return list(account["keys"])

    @property
    def changes(self) -> list[list[str]]:
        """The calls that change something."""
        return [call for call in self.state["calls"] if any(word in CHANGING for word in call)]

    def run(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self._bin}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "GCLOUD_STATE": str(self.file),
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
