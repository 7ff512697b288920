"""The keys of a connection to Google Workspace, and its files."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from placed.driver import SettingsError
from placed_google.auth.external_account import load_external_account
from placed_google.auth.key_file import load_key
from placed_google.settings import GoogleSettings
from tests.drivers.google.driver_setup import BOARDROOM, KEY
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.google.driver_setup import DriverSetup


def settings(**changes: Any) -> GoogleSettings:
    keys = {"name": "fabrikam", "key_file": "/key.json", "rooms": (BOARDROOM,), **changes}
    return GoogleSettings(**{key: value for key, value in keys.items() if value is not None})


def test_the_defaults_are_google_s_own_hosts() -> None:
    kept = settings()
    assert (kept.calendar_url, kept.directory_url) == (
        "https://www.googleapis.com",
        "https://admin.googleapis.com",
    )
    assert (kept.requests_per_minute, kept.subject, kept.token_url) == (480, None, None)
    assert kept.named_rooms == frozenset({BOARDROOM})
    assert settings(rooms=None, customer="C01abc234").named_rooms is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key_file": None}, "one of key_file and workload_identity"),
        ({"workload_identity": "/w.json"}, "one of key_file and workload_identity"),
        ({"customer": "C01abc234"}, "one of rooms and customer"),
        ({"rooms": None}, "one of rooms and customer"),
        ({"room_query": "x"}, "room_query needs customer"),
        ({"key_file": None, "workload_identity": "/w", "subject": "a@b.c"}, "subject needs key_file"),
        (
            {"key_file": None, "workload_identity": "/w", "token_url": "https://x/t"},
            "token_url needs key_file",
        ),
        ({"requests_per_minute": 9}, "greater than or equal to 10"),
        ({"calendar_url": "http://x"}, "expected an address such as https://host"),
        ({"customer": "C0/../x", "rooms": None}, "match pattern"),
        ({"rooms": ("boardroom",)}, "expected an e-mail address"),
        ({"fence": {"kind": "rbac"}}, "kind"),
        ({"actions": {"key_file": "/key.json"}}, "a service account of its own"),
        ({"actions": {"allow": ["book"]}}, "key_file"),
        ({"actions": {"key_file": "/other.json", "allow": ["rename"]}}, "allow"),
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        settings(**changes)


def test_nothing_is_written_without_the_table_actions() -> None:
    assert settings().writes is None
    writes = settings(actions={"key_file": "/other.json", "allow": ["end"], "end": "decline"}).writes
    assert writes is not None
    assert (str(writes.key_file), {*writes.allow}, writes.end) == ("/other.json", {"end"}, "decline")


# --- the key file ---


def changed_key(driver_setup: DriverSetup, **changes: Any) -> Path:
    content = json.loads(driver_setup.simulator.make_key(driver_setup.account, KEY))
    path = driver_setup.folder / "changed.json"
    write_secret(path, json.dumps({**content, **changes}))
    return path


async def test_a_key_file_names_the_account_and_its_token_host(driver_setup: DriverSetup) -> None:
    key = load_key(changed_key(driver_setup))
    assert (key.email, key.token_url) == (driver_setup.account.email, driver_setup.simulator.token_url)
    assert key.client_id == driver_setup.account.client_id
    assert "PRIVATE" not in repr(key)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type": "authorized_user"}, "is of another type"),
        ({"client_email": ""}, "lacks client_email"),
        ({"private_key": ""}, "lacks private_key"),
        ({"private_key": "-----BEGIN"}, "no private key in PEM"),
        ({"token_uri": "http://oauth2.googleapis.com/token"}, "no https address"),
        ({"private_key": 3}, "expected JSON"),
    ],
)
async def test_a_file_that_is_no_key_is_refused_in_a_line(
    driver_setup: DriverSetup, changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(SettingsError, match=expected) as caught:
        load_key(changed_key(driver_setup, **changes))
    assert caught.value.problem.key == "key_file"
    assert "download the key again" in caught.value.problem.remedy
    assert "BEGIN" not in caught.value.problem.line


@pytest.mark.parametrize(("mode", "doing"), [(0o644, "read"), (0o602, "changed")])
async def test_a_key_that_everybody_can_read_is_refused(
    driver_setup: DriverSetup, mode: int, doing: str
) -> None:
    driver_setup.key_file().chmod(mode)
    with pytest.raises(SettingsError, match=f"can be {doing} by every user"):
        driver_setup.open()


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load_key(tmp_path / "none.json")


# --- workload identity ---

EXTERNAL = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/p/providers/x",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/"
    "serviceAccounts/placed@rooms.iam.gserviceaccount.com:generateAccessToken",
    "credential_source": {"file": "/token"},
}


def external(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "external.json"
    write_secret(path, json.dumps({**EXTERNAL, **changes}))
    return path


def test_a_file_of_workload_identity_names_the_service_account(tmp_path: Path) -> None:
    found = load_external_account(external(tmp_path))
    assert (found.email, found.project) == ("placed@rooms.iam.gserviceaccount.com", "123")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type": "service_account"}, "of another type"),
        ({"service_account_impersonation_url": "https://x.example/y"}, "names no service account"),
        ({"token_url": "http://sts.googleapis.com/v1/token"}, "are https addresses"),
        ({"credential_source": {}}, "neither file nor url"),
        ({"credential_source": {"file": "/a", "url": "https://b"}}, "neither file nor url"),
        ({"credential_source": "x"}, "no configuration of workload identity"),
        ({"credential_source": {"url": "nonsense"}}, "url is no http address"),
        ({"credential_source": {"url": "http://a:99999/"}}, "url is no http address"),
        ({"credential_source": {"url": "http://a/", "headers": {"A": "b\r\nC: d"}}}, "headers"),
        ({"credential_source": {"url": "http://a/", "headers": {"A b": "c"}}}, "headers"),
    ],
)
def test_another_file_is_refused_in_a_line(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as caught:
        load_external_account(external(tmp_path, **changes))
    assert caught.value.problem.key == "workload_identity"


# --- the pace ---


@pytest.mark.parametrize(
    ("rooms", "budget", "expected"),
    [
        (240, 480, ""),
        (241, 480, "suffices to read 240 of 241 rooms every 30 s"),
        (1000, 480, "free/busy is read every 30 s"),
        (1000, 480, "every calendar within 5 minutes"),
        (1000, 480, "rooms are read every 125 s"),
        (1000, 60, "free/busy is read every 40 s"),
        (None, 480, "suffices to read 240 rooms every 30 s"),
    ],
)
def test_what_the_budget_means_for_the_interval(rooms: int | None, budget: int, expected: str) -> None:
    note = settings(requests_per_minute=budget).reading_note(rooms, timedelta(seconds=30))
    assert expected in note
    assert bool(note) == bool(expected)


def test_another_key_of_the_same_account_is_another_credential(driver_setup: DriverSetup) -> None:
    one, same, other = (
        load_key(changed_key(driver_setup, private_key_id=key_id)) for key_id in ("a", "a", "b")
    )
    assert one == same != other
