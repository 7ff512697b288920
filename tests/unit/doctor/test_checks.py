"""What `placed doctor` makes of what it finds: order, numbers, words, and what of the machine it looks at."""

from __future__ import annotations

import zoneinfo
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from placed.doctor import Chart, refused_settings
from placed.doctor.consent_checks import judge_consent
from placed.doctor.fence_checks import judge_fence
from placed.doctor.local_file_checks import look_at_state, look_at_time_zones, remembered
from placed.doctor.room_checks import Tally
from placed.domain.consent_record import ConsentRecord, Source
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.driver import (
    Consent,
    Failed,
    Fence,
    FenceState,
    Finding,
    Query,
    Read,
    Unavailable,
    Verdict,
)
from placed.driver.settings import ConnectionSettings
from placed.settings.room_settings import RoomSettings
from placed.settings.schema import Settings
from placed.store import Journal, Memory
from tests.support.domain_builders import DAY, room

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


# --- rooms --------------------------------------------------------------------------------------------------


def tally(readable: int, **failed: tuple[Reason, str, str]) -> Tally:
    """So many rooms are readable, and each of the others failed for this reason, with a detail and remedy."""
    counted = Tally(readable + len(failed), timedelta(hours=2))
    for number in range(readable):
        counted.add(Read(Query(room(f"room-{number}"), DAY, DAY), DAY, ()))
    for name, (reason, detail, remedy) in failed.items():
        counted.add(Failed(Query(room(name), DAY, DAY), reason, Problem("", detail, remedy)))
    return counted


def test_rooms_that_can_all_be_read_are_counted() -> None:
    assert tally(2000).findings() == [Finding.of("readable", GOOD, "2,000 rooms can be read")]


def test_a_room_that_is_refused_while_others_are_not_is_outside_the_group_or_not_yet_in_it() -> None:
    (finding,) = tally(1, vault=(Reason.FORBIDDEN, "403 ErrorAccessDenied", "consent")).findings()
    assert finding.verdict is DOUBTFUL
    assert finding.text == "1 of 2 rooms can be read; 1 refused (403 ErrorAccessDenied): vault"
    assert finding.remedy.startswith("not in the fence's group, or not yet")


def test_where_a_grant_takes_no_time_there_is_no_group_and_the_service_s_remedy_counts() -> None:
    refused = (Reason.FORBIDDEN, "403", "share the calendar")
    counted = tally(1, vault=refused)
    counted.grant_delay = timedelta(0)
    (finding,) = counted.findings()
    assert finding.remedy == "share the calendar"


def test_failures_of_one_reason_with_other_remedies_are_reported_each() -> None:
    one, other = ((Reason.MALFORMED, text, f"correct {text}") for text in ("a page", "a bad time"))
    found = tally(1, first=one, second=other, third=one).findings()
    assert [(finding.text, finding.remedy) for finding in found] == [
        ("1 of 4 rooms can be read; 2 not understood (a page): first, third", "correct a page"),
        ("1 of 4 rooms can be read; 1 not understood (a bad time): second", "correct a bad time"),
    ]


def test_each_kind_of_failure_is_reported_with_example_rooms_and_a_remedy() -> None:
    lost = {f"lost-{n}": (Reason.NOT_FOUND, "404 ErrorInvalidUser", "check the address") for n in range(7)}
    slow = {"slow": (Reason.THROTTLED, "429 TooManyRequests", "")}
    found = tally(1, **slow, **lost).findings()
    some = "lost-0, lost-1, lost-2, lost-3, lost-4"
    assert [(finding.verdict, finding.text, finding.remedy) for finding in found] == [
        (
            DOUBTFUL,
            f"1 of 9 rooms can be read; 7 not found (404 ErrorInvalidUser): {some} and 2 more",
            "check the address",
        ),
        (
            DOUBTFUL,
            "1 of 9 rooms can be read; 1 throttled (429 TooManyRequests): slow",
            "wait some minutes, then run this again; if it persists, set polling.concurrency lower",
        ),
    ]


def test_where_none_can_be_read_the_chain_is_broken() -> None:
    counted = tally(0, vault=(Reason.FORBIDDEN, "403 ErrorAccessDenied", "run placed consent"))
    assert counted.only_refused
    (finding,) = counted.findings()
    assert (finding.verdict, finding.remedy) == (BAD, "run placed consent")


def test_an_interrupted_reading_reports_its_progress() -> None:
    counted = Tally(3)
    counted.add(Read(Query(room(), DAY, DAY), DAY, ()))
    (finding,) = counted.findings(Unavailable("Graph cannot be reached"))
    assert finding.verdict is DOUBTFUL
    assert finding.text == "1 of 3 rooms can be read, then: Graph cannot be reached"
    assert finding.remedy == "wait a minute, then run placed doctor again"
    (finding,) = Tally(3).findings(Unavailable("Graph cannot be reached"))
    assert (finding.verdict, finding.text) == (BAD, "Graph cannot be reached")


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


@pytest.mark.parametrize("state", Consent)
def test_where_rooms_can_be_read_consent_is_good_whatever_is_recorded(state: Consent) -> None:
    assert consent(state, readable=True).verdict is GOOD


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (Consent.UNKNOWN, "have the administrator consent: placed consent contoso"),
        (Consent.MISSING, "have the administrator consent: placed consent contoso"),
        (Consent.REVOKED, "have the administrator consent: placed consent contoso"),
        (Consent.REQUESTED, "wait for the administrator's answer: placed consent contoso --wait"),
        (Consent.DECLINED, "talk to the administrator, then: placed consent contoso"),
    ],
)
def test_for_refused_rooms_the_next_step_to_consent_is_reported(state: Consent, remedy: str) -> None:
    finding = consent(state)
    assert (finding.verdict, finding.remedy) == (BAD, remedy)


def test_a_grant_that_has_no_effect_after_its_propagation_time_is_reported() -> None:
    finding = consent(Consent.GRANTED)
    assert (finding.verdict, finding.remedy) == (
        DOUBTFUL,
        "wait until it works: placed consent contoso --wait",
    )
    assert finding.text == "granted since 2026-10-05 23:00 UTC at the consent page"
    assert consent(Consent.GRANTED, timedelta(hours=3)).verdict is BAD


def test_after_a_failed_check_only_the_consent_record_is_reported() -> None:
    finding = consent(Consent.REQUESTED, broken=BROKEN)
    assert (finding.blocked_by, finding.remedy) == ("token", BROKEN.remedy)
    assert finding.text.startswith("requested since 2026-10-05")


# --- the fence ----------------------------------------------------------------------------------------------


def test_the_results_of_the_canaries_are_reported() -> None:
    def verdicts(*results: object, **more: tuple[object, ...]) -> list[Verdict]:
        return [finding.verdict for finding in judge_fence(Fence(*results, **more))]  # type: ignore[arg-type]

    assert verdicts(FenceState.VERIFIED, DAY) == [GOOD]
    assert verdicts(FenceState.BREACHED, DAY) == [BAD]
    assert verdicts(FenceState.UNPROVEN) == [DOUBTFUL]
    assert verdicts(FenceState.EXCESS, DAY, excess=("Mail.Read",)) == [DOUBTFUL]
    assert verdicts(FenceState.VERIFIED, DAY, warnings=(Problem("", "one too many", "remove it"),)) == [
        GOOD,
        DOUBTFUL,
    ]
    assert verdicts(FenceState.EXCESS, None, excess=("Mail.Read",)) == [DOUBTFUL, DOUBTFUL]


def test_excess_and_flaws_are_named_with_what_to_do() -> None:
    excess = judge_fence(Fence(FenceState.EXCESS, DAY, excess=("Mail.Read", "Mail.Send")))[0]
    assert "Mail.Read, Mail.Send" in excess.text
    problem = Problem("", "a canary is no mailbox", "name one")
    flaw = judge_fence(Fence(FenceState.UNPROVEN, DAY, warnings=(problem,)))[0]
    assert (flaw.text, flaw.remedy) == ("a canary is no mailbox", "name one")


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
