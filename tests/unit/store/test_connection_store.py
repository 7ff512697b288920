"""The digest by which the journal recognises the settings that readings belong to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROGRAM = """
from placed.store.connection_store import _mark
from placed_microsoft365.settings import Microsoft365Settings
actions = {"client_id": "2", "client_secret_file": "/b", "allow": ["extend", "check-in", "book", "end"]}
print(_mark(Microsoft365Settings(
    name="contoso", tenant="contoso.example", client_id="1", client_secret_file="/a",
    rooms=["a@contoso.example"], actions=actions, time_zone="Europe/Berlin",
)))
"""


@pytest.mark.slow  # it starts a Python for each process
def test_the_same_settings_have_the_same_digest_in_every_process() -> None:
    """The members of a set have another order in both: rooms were unknown after a restart."""
    digests = {_digest(str(seed)) for seed in (1, 2)}
    assert len(digests) == 1


def _digest(seed: str) -> str:
    done = subprocess.run(
        (sys.executable, "-c", _PROGRAM),
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
