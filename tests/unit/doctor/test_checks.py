"""What `placed doctor` makes of what it finds: order, numbers, words, and what of the machine it looks at."""

from __future__ import annotations

import zoneinfo
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.doctor import Chart, refused_settings
from placed.doctor.consent_checks import judge_consent
from placed.doctor.local_file_checks import look_at_state, look_at_time_zones, remembered
from placed.domain.consent_record import ConsentRecord, Source
from placed.domain.problem import Problem
from placed.driver import (
    Consent,
    Finding,
    Verdict,
)
from placed.driver.settings import ConnectionSettings
from placed.settings.room_settings import RoomSettings
from placed.settings.schema import Settings
from placed.store import Journal, Memory
from tests.support.domain_builders import DAY

if TYPE_CHECKING:
    import pytest

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
BROKEN = Finding.of("token", BAD, "sign-in refused", "write the secret")


# --- the chart ----------------------------------------------------------------------------------------------


def test_findings_stand_along_the_chain_however_they_came() -> None:
    reported = [
        ("two", Finding.of("token", GOOD, "")),
        (None, Finding.of("publish", GOOD, "")),
        ("one", Finding.of("readable", GOOD, "")),
        (None, Finding.of("http", GOOD, "")),
        ("one", Finding.of("consent", GOOD, "")),
        ("one", Finding.of("files", GOOD, "first")),
        ("one", Finding.of("files", BAD, "second")),
        (None, Finding.of("broker", GOOD, "")),
        (None, Finding.of("settings", GOOD, "")),
    ]
    chart = Chart.of(reported, ["one", "two"])
    assert [(name, finding.check) for name, finding in chart.findings] == [
        (None, "settings"),
        (None, "http"),
        ("one", "files"),
        ("one", "files"),
        ("one", "consent"),
        ("one", "readable"),
        ("two", "token"),
        (None, "broker"),
        (None, "publish"),
    ]
    assert [finding.text for _, finding in chart.findings[2:4]] == ["first", "second"]


def test_only_what_is_broken_breaks_the_chain() -> None:
    good, doubtful = Finding.of("dns", GOOD, ""), Finding.of("certificate", DOUBTFUL, "")
    assert Chart.of([("one", good), ("one", doubtful)]).holds
    chart = Chart.of([("one", good), ("one", BROKEN)])
    assert not chart.holds
    assert chart.document() == {
        "schema": 1,
        "good": 1,
        "doubtful": 0,
        "bad": 1,
        "findings": [
            {
                "connection": "one",
                "check": "dns",
                "verdict": "good",
                "said": "",
                "remedy": None,
                "blocked_by": None,
            },
            {
                "connection": "one",
                "check": "token",
                "verdict": "bad",
                "said": "sign-in refused",
                "remedy": "write the secret",
                "blocked_by": None,
            },
        ],
    }


def test_without_settings_there_is_a_line_a_mistake_and_all_else_waits() -> None:
    file = "/etc/placed/placed.toml"
    chart = Chart.of(
        refused_settings(
            [
                Problem("mqtt.url", "expected mqtt://host", file=file, found="found 3"),
                Problem("", "no valid TOML: Expected '='", file=file),
                Problem("", "cannot be read: Permission denied", file=file, unread=Path(file)),
                Problem("", "there is no such file", "write it, or name another with --config", file=file),
            ]
        )
    )
    assert chart.count(GOOD) == chart.count(DOUBTFUL) == 0
    mistakes = [finding for _, finding in chart.findings if not finding.blocked_by]
    assert [(finding.check, finding.remedy) for finding in mistakes] == [
        ("settings", "correct mqtt.url in /etc/placed/placed.toml"),
        ("settings", "correct /etc/placed/placed.toml"),
        ("settings", "let this user read /etc/placed/placed.toml, or run placed doctor with sudo"),
        ("settings", "write it, or name another with --config"),
    ]
    waiting = [finding for _, finding in chart.findings if finding.blocked_by]
    assert {finding.blocked_by for finding in waiting} == {"settings"}
    assert {finding.remedy for finding in waiting} == {mistakes[0].remedy}
    assert {"state", "http", "token", "readable", "broker"} <= {finding.check for finding in waiting}


def test_a_canary_that_is_no_address_is_not_quoted() -> None:
    (_, finding), *_ = refused_settings(
        [
            Problem(
                "connections[0].fence.canaries[0]",
                "expected an e-mail address",
                file="placed.toml",
                found="found 'ada contoso'",
            )
        ]
    )
    assert "ada" not in finding.text
    assert "expected an e-mail address" in finding.text


# --- consent ------------------------------------------------------------------------------------------------

HOUR = timedelta(hours=1)


def consent(
    state: Consent, age: timedelta = HOUR, *, readable: bool = False, broken: Finding | None = None
) -> Finding:
    record = ConsentRecord(state, DAY - age, source=Source.LINK, who="Ada Example")
    finding = judge_consent(
        record, "contoso", DAY, readable=readable, broken=broken, grant_delay=timedelta(hours=2)
    )
    assert "Ada" not in finding.text
    return finding


# --- the machine --------------------------------------------------------------------------------------------


def test_a_state_directory_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "state"
    assert look_at_state(directory).verdict is GOOD
    assert list(tmp_path.iterdir()) == []
    with closing(Journal(directory)) as journal:
        journal.save(Memory(7, {"contoso/boardroom@contoso.example": "boardroom"}))
    before = (directory / "journal.db").read_bytes()
    assert look_at_state(directory) == Finding.of("state", GOOD, f"{directory}: can be written")
    assert remembered(directory).room_ids == {"contoso/boardroom@contoso.example": "boardroom"}
    assert [path.name for path in directory.iterdir()] == ["journal.db"]
    assert (directory / "journal.db").read_bytes() == before


def test_the_state_of_a_daemon_that_runs_is_seen_as_it_is_now(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as journal:
        journal.save(Memory(7, {"contoso/a@x": "a"}))
        assert look_at_state(tmp_path).verdict is GOOD
        assert remembered(tmp_path).room_ids == {"contoso/a@x": "a"}


def test_state_that_cannot_be_stored_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    finding = look_at_state(file / "state")
    assert finding.verdict is DOUBTFUL
    assert "--state-directory" in finding.remedy


def test_state_owned_by_another_user_is_reported_and_not_moved(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("no state of placed")
    assert look_at_state(tmp_path).verdict is DOUBTFUL
    assert remembered(tmp_path).room_ids == {}
    assert (tmp_path / "journal.db").read_text() == "no state of placed"


def test_time_zones_are_named_with_their_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = ConnectionSettings(name="contoso", driver="none", time_zone=ZoneInfo("Europe/Berlin"))
    rooms = {"a@b": RoomSettings(time_zone=ZoneInfo("UTC"))}
    settings = Settings(connections=(connection,), rooms=rooms)
    (tmp_path / "Etc").mkdir()
    (tmp_path / "Etc" / "UTC").touch()
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path),))
    now = datetime(2026, 10, 6, tzinfo=UTC)
    assert look_at_time_zones(settings, now).text == "Europe/Berlin, UTC; their age is not known"
    (tmp_path / "tzdata.zi").write_text("# version 2025b\n# rest\n")
    assert look_at_time_zones(settings, now) == Finding.of(
        "time_zones", GOOD, "Europe/Berlin, UTC; as of 2025b"
    )
    (tmp_path / "tzdata.zi").write_text("# version 2021a\n")
    finding = look_at_time_zones(settings, now)
    assert finding.verdict is DOUBTFUL
    assert "tzdata" in finding.remedy
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    assert "; as of 20" in look_at_time_zones(settings, now).text  # of the package
