"""What all unit tests share: what costs time in each, and is the same in all."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
import typer.testing
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Iterator

_built = cache(get_command)
_installed = cache(entry_points)


@pytest.fixture(autouse=True, scope="module")
def _made_once() -> Iterator[None]:
    """The command line is built once, and installed drivers are looked for once.

    typer builds all commands whenever one is tried, in 50 ms, and every check of settings reads the metadata
    of all installed distributions.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", _built)
        patch.setattr("placed.driver.registry.entry_points", _installed)
        # No unit test trusts a certificate authority of the machine, and reading them takes as long again.
        patch.setenv("SSL_CERT_FILE", "/dev/null")
        patch.setenv("SSL_CERT_DIR", "/dev/null")
        yield
