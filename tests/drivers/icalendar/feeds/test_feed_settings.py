"""The keys of a connection to feeds, and its files. No message repeats a link."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from placed.driver import SettingsError
from placed.runtime.connections import digest_of_files
from placed.settings.loader import ConfigurationError, load
from placed_icalendar import ICalendar
from placed_icalendar.feeds.feed import load_feeds
from placed_icalendar.feeds.feed_settings import ICalendarSettings
from placed_icalendar.feeds.secret_url import SecretUrl
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
LINK = f"https://cal.example/calendar/boardroom/private-{TOKEN}/basic.ics"


def settings(feeds: object = LINK, **changes: Any) -> ICalendarSettings:
    """Settings with one feed, of the room boardroom."""
    return ICalendarSettings(**{"name": "feeds", "feeds": {"boardroom": feeds}, **changes})


def test_a_link_alone_is_a_feed_and_its_key_is_the_room() -> None:
    kept = settings(feeds=LINK)
    (feed,) = load_feeds(kept)
    assert (feed.room, feed.url.secret, feed.login) == ("boardroom", LINK, None)
    assert kept.named_rooms == frozenset({"boardroom"})
    assert kept.usual_interval == timedelta(seconds=60)
    assert "60 s" in kept.reading_note(3, timedelta(seconds=5))
    assert kept.reading_note(3, timedelta(seconds=60)) == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (LINK.replace("https", "webcal"), LINK),
        (LINK.replace("https", "WEBCALS"), LINK),
        (f"  {LINK}\n", LINK),
        (f"{LINK}#today", LINK),
        ("https://cal.example:8443/x?a=b%20c", "https://cal.example:8443/x?a=b%20c"),
        ("https://cal.example/räume.ics", "https://cal.example/r%C3%A4ume.ics"),
    ],
)
def test_webcal_is_https_and_everything_else_of_a_link_is_kept(written: str, meant: str) -> None:
    assert SecretUrl.parse(written).secret == meant


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (LINK.replace("https", "http"), "over http everybody on the way can read"),
        (LINK.replace("https", "ftp"), "expected an address such as"),
        (f"cal.example/{TOKEN}", "expected an address such as"),
        (f"https:///{TOKEN}", "expected an address such as"),
        (f"https://cal.example:0/{TOKEN}", "expected an address such as"),
        (f"https://cal.example:port/{TOKEN}", "expected an address such as"),
        (f"https://cal.example/a {TOKEN}", "expected an address such as"),
        (f"https://cal\\example/{TOKEN}", "expected an address such as"),
        (f"https://placed:{TOKEN}@cal.example/", "expected no login in the address"),
        (17, "expected an address such as"),
    ],
)
def test_no_link_is_refused_without_repeating_it(written: object, expected: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(feeds=written)
    file = tmp_path / "placed.toml"
    file.write_text(
        '[[connections]]\nname = "feeds"\ndriver = "icalendar"\n'
        f"[connections.feeds]\nboardroom = {written!r}\n"
    )
    with pytest.raises(ConfigurationError, match=expected) as caught:
        load(file)
    assert "connections[0].feeds.boardroom.url" in str(caught.value)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, "one of url and url_file"),
        ({"url": LINK, "url_file": "/link"}, "one of url and url_file"),
        ({"url": LINK, "username": "placed"}, "both or none"),
        ({"url": LINK, "password_file": "/password"}, "both or none"),
        ({"url": LINK, "username": "a:b", "password_file": "/password"}, "without a colon"),
        ({"url": LINK, "token": "x"}, "token"),
    ],
)
def test_what_does_not_go_together_is_refused(table: dict[str, str], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(feeds=table)


@pytest.mark.parametrize(
    ("feeds", "expected"),
    [
        ({}, "at least 1"),
        ({" ": LINK}, "rooms' addresses or names as keys"),
        ({"board\nroom": LINK}, "rooms' addresses or names as keys"),
        ({LINK: "boardroom"}, "expected"),
        ({"Boardroom": LINK, "boardroom": LINK}, "each room once"),
    ],
)
def test_keys_are_rooms(feeds: dict[str, str], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        ICalendarSettings.model_validate({"name": "feeds", "feeds": feeds})


def test_only_https_may_be_a_canary() -> None:
    assert settings(fence={"canaries": [LINK]}).fence.canaries == (SecretUrl(LINK),)
    with pytest.raises(ValidationError, match="over http"):
        settings(fence={"canaries": ["http://cal.example/x"]})


# --- files ---


def test_links_and_passwords_come_from_files(tmp_path: Path) -> None:
    for name, content in (("link", f"{LINK.replace('https', 'webcal')}\n"), ("password", "päss\r\n")):
        write_secret(tmp_path / name, content)
    table = {"url_file": tmp_path / "link", "username": "placed", "password_file": tmp_path / "password"}
    (feed,) = load_feeds(settings(feeds=table))
    assert feed.url.secret == LINK
    assert feed.login is not None
    assert feed.login.header == "Basic cGxhY2VkOnDDpHNz"  # UTF-8, as RFC 7617 has it
    assert "päss" not in repr(feed)
    assert TOKEN not in repr(feed)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "0 lines, expected one"),
        (f"{LINK}\n{LINK}\n", "2 lines, expected one"),
        (f"http://cal.example/{TOKEN}", "over http"),
        (TOKEN, "expected an address such as"),
        (b"\xff\xfe", "not in UTF-8"),
    ],
)
def test_a_file_without_a_link_is_named_and_not_quoted(
    content: str | bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "link"
    write_secret(path, content)
    with pytest.raises(SettingsError, match=expected) as caught:
        load_feeds(settings(feeds={"url_file": path}))
    assert caught.value.problem.key == "feeds.boardroom.url_file"
    assert TOKEN not in caught.value.problem.line


def test_a_file_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link"
    write_secret(path, LINK)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by every user"):
        load_feeds(settings(feeds={"url_file": path}))
    with pytest.raises(SettingsError, match="No such file"):
        load_feeds(settings(feeds={"url_file": tmp_path / "none"}))


def test_a_missing_file_is_reported_before_those_that_only_the_service_has(tmp_path: Path) -> None:
    feeds = {
        "boardroom": {"url_file": "$CREDENTIALS_DIRECTORY/secrets_boardroom.link"},
        "library": {"url_file": str(tmp_path / "none")},
    }
    with pytest.raises(SettingsError) as caught:
        load_feeds(ICalendarSettings.model_validate({"name": "feeds", "feeds": feeds}))
    assert caught.value.problem.key == "feeds.library.url_file"
    file = tmp_path / "placed.toml"
    file.write_text(
        f'[[connections]]\nname = "feeds"\ndriver = "icalendar"\nfeeds = {{ boardroom = "{LINK}" }}\n'
    )
    located = load(file).locate(caught.value.problem, "connections", 0, caught.value.problem.key)
    assert located.key == "connections[0].feeds.library.url_file"


def test_a_reload_notices_another_link_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "link"
    write_secret(path, LINK)
    table = settings(feeds={"url_file": path})
    before = digest_of_files(table)
    path.write_text(LINK.replace("0a1b", "0a1c"))
    assert digest_of_files(table) != before


# --- what shows ---


def test_a_link_is_in_no_representation_and_in_no_dump() -> None:
    kept = settings(fence={"canaries": [LINK]})
    for shown in (
        repr(kept),
        str(kept),
        str(kept.model_dump()),
        kept.model_dump_json(),
        repr(load_feeds(kept)),
    ):
        assert TOKEN not in shown
    other = settings(feeds=LINK.replace("0a1b", "0a1c"), fence={"canaries": [LINK]})
    assert other.model_dump() != kept.model_dump()  # readings of another link are not used
    assert other != kept


def test_without_the_extra_a_line_names_it(monkeypatch: pytest.MonkeyPatch, feed_setup: Any) -> None:
    monkeypatch.setattr("placed_icalendar.extra_packages.find_spec", lambda _name: None)
    with pytest.raises(SettingsError, match=r"needs the extra placed\[icalendar\]"):
        ICalendar.open(settings(), feed_setup.surroundings())
