from __future__ import annotations

import gzip
import json
import re
import string
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from placed.domain.action import Action, Refusal
from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.driver import Consent, FenceState
from placed.http.pages import Assets, Pages

if TYPE_CHECKING:
    from tests.support.status_endpoint import Endpoint

PAGES = ("/", "/rooms/atrium", "/rooms/atrium/day")
ASSETS = Assets()
TEXTS = ("i18n", "action_texts")  # the folders of texts


def texts(language: str, folder: str = "i18n") -> dict[str, str]:
    found: dict[str, str] = json.loads(ASSETS._content[f"{folder}/{language}.json"])
    return found


ENGLISH = {name: text for folder in TEXTS for name, text in texts("en", folder).items()}


def named(page: str) -> set[str]:
    """The addresses of files that a page names."""
    return set(re.findall(r'(?:href|src)="((?:\.\./)*static/[^"]+)"', page))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_and_shows_nothing_but_the_programs_own_files(
    endpoint: Endpoint, path: str
) -> None:
    page = await endpoint.get(path)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert policy.pop("trusted-types") == "placed"  # which lets through the worker's address alone
    assert set(policy.values()) == {"'none'", "'self'"}
    assert policy["default-src"] == "'none'"
    text = page.body.decode()
    assert not re.search(
        r"<style|<script(?! type=\"module\" src=\"(?:\.\./)*static/)|\son\w+=|\sstyle=|//", text[15:]
    )
    assert "{{" not in text


@pytest.mark.parametrize("path", PAGES)
async def test_files_are_cached_for_ever_and_a_page_is_revalidated(endpoint: Endpoint, path: str) -> None:
    page = await endpoint.get(path)
    assert page.headers["Cache-Control"] == "no-cache"
    assert (await endpoint.get(path, {"If-None-Match": page.headers["ETag"]})).status == 304
    files = named(page.body.decode())
    assert len(files) == 4
    for relative in files:
        address = urljoin(path, relative)
        plain = await endpoint.get(address)
        assert plain.status == 200
        assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert plain.headers["X-Content-Type-Options"] == "nosniff"
        packed = await endpoint.get(address, {"Accept-Encoding": "gzip"})
        if "Content-Encoding" in packed.headers:
            assert gzip.decompress(packed.body) == plain.body
        other = address.replace(ASSETS.version, "0" * 16)
        assert (await endpoint.get(other)).status == 404


async def test_no_file_beside_those_of_the_pages_can_be_had(endpoint: Endpoint) -> None:
    start = f"/static/{ASSETS.version}"
    for name in ("../pages.py", "%2e%2e/pages.py", "/etc/passwd", "i18n", "nothing.js"):
        assert (await endpoint.get(f"{start}/{name}")).status == 404


def test_every_module_imports_what_is_there() -> None:
    modules = {name: content.decode() for name, content in ASSETS._content.items() if name.endswith(".js")}
    imported = {
        name: set(re.findall(r'^(?:import|export)\b[^;]*?from "\./([^"]+)";', text, re.MULTILINE))
        | set(re.findall(r'\bimport\("\./([^"]+)"\)', text))  # on demand
        for name, text in modules.items()
    }
    reached, todo = set(), {"board.js", "panel.js", "day.js"}
    while todo:
        name = todo.pop()
        reached.add(name)
        todo |= imported[name] - reached
    assert reached == set(modules) - {"worker.js"}


def test_nothing_is_made_of_text_but_text() -> None:
    """No way from a string to markup, script or an address of elsewhere."""
    for name, content in ASSETS._content.items():
        text = content.decode()
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        )
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name


def test_the_page_is_in_english_first() -> None:
    assert ASSETS.languages[0] == "en"
    assert "de" in ASSETS.languages


@pytest.mark.parametrize("folder", TEXTS)
@pytest.mark.parametrize("language", ASSETS.languages)
def test_every_language_translates_every_english_text(language: str, folder: str) -> None:
    words, english = texts(language, folder), texts("en", folder)
    plural = re.compile(r"\.(zero|one|two|few|many)$")
    singular = {name for name in words if not plural.search(name)}
    assert singular == {name for name in english if not plural.search(name)}
    for name in singular & english.keys():
        fields = {field for _, field, _, _ in string.Formatter().parse(words[name]) if field}
        assert fields == {field for _, field, _, _ in string.Formatter().parse(english[name]) if field}
    assert folder != "i18n" or words["direction"] in ("ltr", "rtl")


def test_every_status_and_reason_has_a_text() -> None:
    reported = {f"status.{status}" for status in Status} | {f"reason.{reason}" for reason in Reason}
    reported |= {f"health.state.{state}" for state in ConnectionState}
    reported |= {f"health.consent.{consent}" for consent in Consent}
    reported |= {f"health.fence.{fence}" for fence in FenceState}
    reported |= {f"act.not.{reason}" for reason in Refusal} | {f"act.done.{action}" for action in Action}
    assert reported <= ENGLISH.keys()


def test_every_text_key_of_a_page_exists() -> None:
    asked = set()
    for content in ASSETS._content.values():
        text = content.decode()
        asked |= set(re.findall(r'words\.text\(\s*"([^"]+)"', text))
        asked |= set(re.findall(r'data-(?:text|label)="([^"]+)"', text))
    asked |= {
        f"health.{word}" for word in re.findall(r'\btext\("([\w.]+)"', ASSETS._content["health.js"].decode())
    }
    assert len(asked) > 60
    assert not {word for word in asked if word not in ENGLISH and f"{word}.other" not in ENGLISH}


async def test_the_worker_keeps_all_that_a_page_is_made_of(endpoint: Endpoint) -> None:
    worker = await endpoint.get("/worker.js")
    assert worker.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert worker.headers["Cache-Control"] == "no-cache"
    text = worker.body.decode()
    assert "{{" not in text
    listed = re.search(r'FILES = "([^"]+)"', text)
    assert listed
    assert set(listed[1].split()) == {
        name for name in ASSETS._content if not name.endswith(".html") and name != "worker.js"
    }
    for name in listed[1].split():
        assert (await endpoint.get(f"/static/{ASSETS.version}/{name}")).status == 200


def test_the_worker_is_another_where_a_page_is() -> None:
    """Or a browser would go on keeping the page that was."""
    workers = set()
    for settings in ({}, {"offline_after": timedelta(minutes=1)}):
        assets = Assets(**settings)  # type: ignore[arg-type]
        pages = Pages(assets)
        workers.add(pages._worker.body)
    assert len(workers) == 2
