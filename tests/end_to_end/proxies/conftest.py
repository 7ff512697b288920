from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.end_to_end.browser.conftest import board_setup, browser, endpoint, tabs
from tests.end_to_end.proxies.reverse_proxy import KINDS, in_front_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.status_endpoint import Endpoint

__all__ = ["board_setup", "browser", "endpoint", "tabs"]

more = pytest.mark.proxies


@pytest.fixture(params=["nginx", *(pytest.param(name, marks=more) for name in ("caddy", "haproxy"))])
def kind(request: pytest.FixtureRequest) -> str:
    """The name of a web server that is installed."""
    name: str = request.param
    if shutil.which(KINDS[name].program) is None:
        pytest.skip(f"no {name}; as root: scripts/test-proxies")
    return name


@pytest_asyncio.fixture(loop_scope="session")
async def root(kind: str, endpoint: Endpoint, tmp_path: Path) -> AsyncIterator[str]:
    """The address of the endpoint's root behind it."""
    async with in_front_of(endpoint.at[1], KINDS[kind], tmp_path) as url:
        yield f"{url}/rooms-board/"
