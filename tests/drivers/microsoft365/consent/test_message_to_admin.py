"""The message that asks an administrator."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from placed.driver import ConsentRequest, Letter, Surroundings
from placed_microsoft365.consent import Microsoft365Consent
from placed_microsoft365.settings import Microsoft365Settings

ASKED = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)
URL = "https://login.example/contoso.example/v2.0/adminconsent?client_id=1&state=s"
SETTINGS_PAGE = (
    "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/ConsentPoliciesMenuBlade/~/AdminConsentSettings"
)


def letter(who: str = "Grace", because: str = "panels", days: int = 30, **changes: Any) -> Letter:
    keys: dict[str, Any] = {
        "name": "contoso",
        "tenant": "contoso.example",
        "client_id": "11111111-2222-3333-4444-555555555555",
        "client_secret_file": "secret",
        "room_group": "rooms@contoso.example",
    }
    keys |= changes
    asked = ConsentRequest(who, because, ASKED, ASKED + timedelta(days=days))
    surroundings = Surroundings(lambda: ASKED, 8, details=False, version="1.2.3")
    return Microsoft365Consent(Microsoft365Settings(**keys), surroundings).letter(asked, URL)


class Page(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        self.links += [found["href"] or ""] if tag == "a" else []
        self.loads += [name for name in found if name in ("src", "srcset", "background", "data", "action")]
        self.loads += [name for name in found if name.startswith("on") or (name == "href" and tag != "a")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("form", ["text", "html"])
def test_the_message_answers_the_questions_of_an_administrator(form: str) -> None:
    written = letter(who="Grace Hopper", because="The panels at the doors")
    text = flat(written.text) if form == "text" else Page(written.html).text
    for wanted in (
        "Grace Hopper",
        "The panels at the doors",
        "application (client) id 11111111-2222-3333-4444-555555555555",
        "contoso.example",
        "2026-10-06",
        "2026-11-05",
        "Calendars.Read",
        "GroupMember.Read.All",
        "write, book, move or cancel anything",
        "Privileged Role Administrator",
        "application access policy",
        URL,
        "Enterprise apps > Consent and permissions > Admin consent settings",
        "Users can request admin consent to apps they are unable to consent to",
        "Who can review admin consent requests",
        "Consent request expires after (days)",
        "30 (1 to 60)",
        SETTINGS_PAGE,
    ):
        assert wanted in text, wanted
    assert "ReadWrite" not in text


def test_addresses_stay_whole_in_the_text() -> None:
    lines = letter().text.splitlines()
    assert f"  {URL}" in lines
    assert f"  {SETTINGS_PAGE}" in lines


def test_what_people_write_is_text_and_nothing_else() -> None:
    nasty = "\"><script>alert('1')</script><img src=x onerror=alert(2)>&amp;"
    page = Page(letter(who=nasty, because=nasty).html)
    assert page.text.count(nasty) == 2
    assert "script" not in page.tags
    assert "img" not in page.tags


def test_the_page_needs_nothing_else() -> None:
    written = letter().html
    page = Page(written)
    assert page.loads == []
    assert page.links == [URL, SETTINGS_PAGE]
    assert "default-src 'none'" in written
    assert not re.search(r"url\(|@import", written)


def test_under_rbac_no_calendar_permission_is_requested_in_entra() -> None:
    text = flat(letter(fence={"kind": "rbac"}).text)
    assert "Permission: GroupMember.Read.All" in text
    assert "Permission: Calendars.Read" not in text
    assert "Calendars.Read must not be consented to in Entra" in text


@pytest.mark.parametrize(
    ("cloud", "center"),
    [
        ("usgov", "https://entra.microsoft.us"),
        ("usgov-dod", "https://entra.microsoft.us"),
        ("china", "https://entra.microsoftonline.cn"),
    ],
)
def test_each_cloud_has_its_own_admin_center(cloud: str, center: str) -> None:
    text = letter(cloud=cloud).text
    assert f"  {center}/#view/Microsoft_AAD_IAM/ConsentPoliciesMenuBlade/" in text
    assert "entra.microsoft.com" not in text
