from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.support.browser_session import FLAGS, NO_BROWSER, BrowserSession, browser_path
from tests.support.deployment import Deployment
from tests.support.sample_building import building
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

    from tests.support.board_setup import BoardSetup


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real chromium, for all tests."""
    path = browser_path()
    if path is None:
        pytest.skip(NO_BROWSER)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser) -> AsyncIterator[BrowserSession]:
    """A browser that opens pages in tabs; errors in its console fail the test."""
    tabs = BrowserSession(browser)
    yield tabs
    await tabs.close()
    assert tabs.complaints == []


@pytest.fixture
def board_setup() -> BoardSetup:
    return building()


@pytest_asyncio.fixture(loop_scope="session")
async def endpoint(board_setup: BoardSetup, tabs: BrowserSession) -> AsyncIterator[Endpoint]:
    """A status endpoint over the building. Pages are closed before it ends: it refuses new streams then."""
    async with Endpoint(board_setup) as endpoint:
        yield endpoint
        await tabs.close()


@pytest_asyncio.fixture(loop_scope="session")
async def deployment(tmp_path: Path, tabs: BrowserSession) -> AsyncIterator[Deployment]:
    """A tenant with two rooms and a broker."""
    async with Deployment.open(tmp_path) as deployment:
        yield deployment
        await tabs.close()
