"""The folder for the one who publishes the calendars: steps, scripts with undo, a table without any link."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from placed.driver import KitError, OffersSetup
from placed_icalendar import ICalendar
from placed_icalendar.feeds.feed_settings import ICalendarSettings
from placed_icalendar.setup_kit.feed_kit import answers_of, questions, write_kit
from placed_icalendar.setup_kit.feed_questions import DETAILS, PUBLISHERS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
ROOMS = "boardroom@contoso.com, o.hara@contoso.com"
SCRIPTS = ("publish-calendars.ps1", "unpublish-calendars.ps1")


def texts(folder: Path, **answers: str) -> dict[str, str]:
    """Every file of a kit, by its name."""
    write_kit("feeds", {"feeds": ROOMS, **answers}, folder, now=NOW, renew=False)
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_the_driver_offers_it() -> None:
    assert isinstance(ICalendar, OffersSetup)
    assert {question.key for question in ICalendar.setup().questions()} == {
        "publisher",
        "feeds",
        "detail",
        "time_zone",
    }


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_a_kit_has_the_steps_of_its_publisher_with_undo(tmp_path: Path, publisher: str) -> None:
    files = texts(tmp_path, publisher=publisher, time_zone="Europe/Berlin")
    expected = {"README.md", "fence.md", "placed.toml", *(SCRIPTS if publisher == "exchange" else ())}
    assert files.keys() == expected
    for part in ("## Publish", "## Undo", "## On the server", "A link is a password"):
        assert part in files["README.md"]
    assert "@@" not in "".join(files.values())
    assert "`unproven`" in files["fence.md"]


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_its_table_is_valid_and_has_no_link(tmp_path: Path, publisher: str) -> None:
    files = texts(tmp_path, publisher=publisher, time_zone="Europe/Berlin")
    (table,) = tomllib.loads(files["placed.toml"])["connections"]
    settings = ICalendarSettings(**table)
    assert {*settings.feeds} == {"boardroom@contoso.com", "o.hara@contoso.com"}
    assert str(settings.time_zone) == "Europe/Berlin"
    feed = settings.feeds["boardroom@contoso.com"]
    assert feed.url is None
    assert (feed.username is not None) is (publisher in {"sogo", "zimbra"})


@pytest.mark.parametrize("detail", DETAILS)
def test_exchange_publishes_far_enough_with_the_detail_that_is_wanted(tmp_path: Path, detail: str) -> None:
    files = texts(tmp_path, detail=detail.lower())
    script, page = files["publish-calendars.ps1"], files["README.md"]
    assert "-PublishDateRangeFrom OneDay -PublishDateRangeTo ThreeDays" in script
    assert f"$Detail = '{detail}'" in script
    assert f"-DetailLevel {detail} -PublishDateRangeFrom OneDay -PublishDateRangeTo ThreeDays" in page
    assert "-PublishEnabled $false" in files["unpublish-calendars.ps1"]
    assert "'boardroom-contoso.com.link'" in script


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_scripts_are_powershell_with_a_rehearsal(tmp_path: Path, name: str) -> None:
    script = texts(tmp_path)[name]
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.encode())
    assert not tree.root_node.has_error
    assert "SupportsShouldProcess" in script
    assert script.startswith("# ")
    assert "# Changes: " in script


def test_a_second_run_changes_nothing_and_renewing_names_the_steps(tmp_path: Path) -> None:
    before = texts(tmp_path)
    assert texts(tmp_path) == before
    kit = write_kit("feeds", {"feeds": ROOMS}, tmp_path, now=NOW, renew=True)
    assert "unpublish-calendars.ps1, then publish-calendars.ps1" in kit.next_steps[0]


@pytest.mark.parametrize(
    ("answers", "key"),
    [
        ({"feeds": ""}, "feeds"),
        ({"feeds": "boardroom"}, "feeds"),
        ({"feeds": "a@b.c, x'; Remove-Mailbox y@b.c"}, "feeds"),
        ({"feeds": "a@b.c, A@b.c"}, "feeds"),
        ({"publisher": "outlook"}, "publisher"),
        ({"detail": "all"}, "detail"),
        ({"time_zone": "Berlin"}, "time_zone"),
    ],
)
def test_an_invalid_answer_is_named(tmp_path: Path, answers: dict[str, str], key: str) -> None:
    with pytest.raises(KitError) as caught:
        write_kit("feeds", {"feeds": ROOMS, **answers}, tmp_path / "kit", now=NOW, renew=False)
    assert {problem.key for problem in caught.value.problems} == {key}
    assert not (tmp_path / "kit").exists()


def test_settings_answer_all_that_they_hold_and_no_link() -> None:
    link = "https://outlook.office365.com/owa/calendar/0d5e@contoso.com/5f1d6a0b9c3e4d7f/calendar.ics"
    settings = ICalendarSettings.model_validate({"name": "feeds", "feeds": {"boardroom@contoso.com": link}})
    found = answers_of(settings)
    assert found == {"feeds": "boardroom@contoso.com", "time_zone": "UTC", "publisher": "exchange"}
    assert found.keys() <= {question.key for question in questions()}
