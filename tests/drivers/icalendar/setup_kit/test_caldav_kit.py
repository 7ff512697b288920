"""What is in the kit's folder for a CalDAV server."""

from __future__ import annotations

import configparser
import re
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from placed.driver import KitError
from placed_icalendar.caldav.caldav_settings import CalDavSettings
from placed_icalendar.setup_kit.caldav_kit import answers_of, questions, write_kit
from placed_icalendar.setup_kit.caldav_questions import SERVERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from placed.driver import Kit

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
GIVEN = {
    "url": "https://cal.example/rooms/",
    "server": "radicale",
    "fence.canaries": "https://cal.example/ada/calendar/,https://cal.example/ben/calendar/",
    "time_zone": "Europe/Berlin",
}


def write(folder: Path, more: Mapping[str, str] | None = None, *, renew: bool = False, **answers: str) -> Kit:
    given = {**GIVEN, **answers, **(more or {})}
    return write_kit("dav", given, folder, now=NOW, renew=renew)


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


@pytest.mark.parametrize("server", SERVERS)
def test_every_file_is_listed_and_complete(tmp_path: Path, server: str) -> None:
    kit = write(tmp_path, server=server)
    found = texts(tmp_path)
    assert {file.path.name for file in kit.files} == set(found)
    assert ("radicale-rights" in found) == (server == "radicale")
    assert "@@" not in "".join(found.values())
    assert kit.next_steps


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_the_connection_is_valid_and_holds_the_answers(tmp_path: Path) -> None:
    write(tmp_path / "first", calendars="boardroom, library")
    (table,) = tomllib.loads(texts(tmp_path / "first")["placed.toml"])["connections"]
    settings = CalDavSettings(**table)
    assert settings.calendars == ("boardroom", "library")
    write(tmp_path / "again", answers_of(settings))
    assert texts(tmp_path / "again")["placed.toml"] == texts(tmp_path / "first")["placed.toml"]


def test_no_answer_is_needed_that_has_a_default() -> None:
    needed = {question.key for question in questions() if question.default is None}
    assert needed == {"url", "fence.canaries"}


def test_the_rights_let_the_account_read_the_rooms_and_nothing_else(tmp_path: Path) -> None:
    """By Radicale's rule: the first section that fits counts."""
    write(tmp_path, calendars="boardroom", username="placed.rooms")
    rights = configparser.ConfigParser(interpolation=None)
    rights.read_string(texts(tmp_path)["radicale-rights"])

    def permissions(user: str, path: str) -> str | None:
        for name in rights.sections():
            section = rights[name]
            if re.fullmatch(section["user"], user) and re.fullmatch(section["collection"], path):
                return section["permissions"]
        return None

    paths = ("", "placed.rooms", "rooms", "rooms/boardroom", "rooms/library", "ada", "ada/calendar")
    assert [permissions("placed.rooms", path) for path in paths] == ["R", "R", "R", "r", "", "", ""]
    assert permissions("placedXrooms", "rooms/boardroom") is None


def test_another_password_is_made_beside_the_one_in_use(tmp_path: Path) -> None:
    steps = write(tmp_path, renew=True).next_steps
    assert "withdraw the old password" in steps[-1]


@pytest.mark.parametrize(
    ("key", "answer", "text"),
    [
        ("url", "http://cal.example/", "https://cal.example/rooms/"),
        ("url", "https://placed:pw@cal.example/", "without a user in it"),
        ("server", "exchange", "expected one of radicale"),
        ("username", "a b", "expected letters"),
        ("username", "(.*)", "expected letters"),
        ("calendars", "rooms/boardroom", "the last part"),
        ("calendars", "Studio,studio", "there twice"),
        ("fence.canaries", "", "nothing proves the fence"),
        ("fence.canaries", "https://other.example/ada/", "at the host of url"),
        ("time_zone", "Berlin", "IANA"),
    ],
)
def test_an_invalid_answer_is_named_and_writes_nothing(
    tmp_path: Path, key: str, answer: str, text: str
) -> None:
    with pytest.raises(KitError) as raised:
        write(tmp_path / "kit", {key: answer})
    (problem,) = raised.value.problems
    assert problem.key == key
    assert text in problem.text
    assert not (tmp_path / "kit").exists()
