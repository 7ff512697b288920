"""What is known of consent outlives the daemon, and is shared with the commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.consent_file import ConsentFile
from placed.consents import ConsentRecord, Source
from placed.driver import Consent
from tests.core.making import at

if TYPE_CHECKING:
    from pathlib import Path

NINE, NOON = at("9:00"), at("12:00")
REQUESTED = ConsentRecord(Consent.REQUESTED, NINE, NOON, Source.REQUEST, "Ada Example")


def test_a_restart_knows_what_was_known(tmp_path: Path) -> None:
    ConsentFile(tmp_path, "contoso").save(REQUESTED)
    assert ConsentFile(tmp_path, "contoso").load() == REQUESTED
    assert ConsentFile(tmp_path, "fabrikam").load() == ConsentRecord()


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    file = ConsentFile(tmp_path, "contoso")
    file.save(REQUESTED)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["contoso.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody")
def test_root_leaves_it_to_whom_the_directory_belongs(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    file = ConsentFile(tmp_path, "contoso")
    file.save(REQUESTED)
    assert {path.stat().st_uid for path in (file.path, file.path.parent)} == {12345}


def test_what_a_command_writes_is_seen_by_the_daemon_that_runs(tmp_path: Path) -> None:
    daemon, command = (ConsentFile(tmp_path, "contoso") for _ in range(2))
    assert daemon.observe(Consent.MISSING, NINE).state is Consent.MISSING
    command.save(REQUESTED)
    assert daemon.observe(Consent.MISSING, NINE) == REQUESTED
    assert daemon.observe(Consent.GRANTED, NOON).state is Consent.GRANTED
    assert command.load().state is Consent.GRANTED


def test_what_a_command_takes_away_is_gone_for_the_daemon(tmp_path: Path) -> None:
    daemon, command = (ConsentFile(tmp_path, "contoso") for _ in range(2))
    daemon.observe(Consent.GRANTED, NINE)
    assert command.forget()
    assert not command.forget()
    assert daemon.load() == ConsentRecord()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"state":"perhaps"}', '{"since":3}', "\udcff"])
def test_a_file_of_no_use_is_told_once_and_counts_as_none(tmp_path: Path, content: str) -> None:
    file = ConsentFile(tmp_path, "contoso")
    file.path.parent.mkdir()
    file.path.write_bytes(content.encode(errors="surrogateescape"))
    with capture_logs() as logs:
        assert file.load() == ConsentRecord()
        assert file.load() == ConsentRecord()
        assert file.observe(Consent.GRANTED, NINE).state is Consent.GRANTED
    assert [e["event"] for e in logs] == ["consent.is_not_kept"]
    assert ConsentFile(tmp_path, "contoso").load().state is Consent.GRANTED


def test_where_it_can_not_be_kept_placed_goes_on(tmp_path: Path) -> None:
    (tmp_path / "consent").write_text("in the way")
    file = ConsentFile(tmp_path, "contoso")
    with capture_logs() as logs:
        assert file.observe(Consent.GRANTED, NINE).state is Consent.GRANTED
        assert file.observe(Consent.MISSING, NOON).state is Consent.REVOKED
    assert [e["event"] for e in logs].count("consent.is_not_kept") == 1
