"""What a mistake in the settings is called: what is expected, in words of the manual and not of a library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from placed.driver.secret_file import found_here, remedy_for_missing
from placed.settings.loader import ConfigurationError, load
from tests.unit.settings.test_loader import CONNECTION


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "placed.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return [problem.line.removeprefix(f"{path}: ") for problem in caught.value.problems]


NO_TABLE = "connections: there is no [[connections]] table; expected one for each calendar service account"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", NO_TABLE),
        ("connections = []", NO_TABLE),
        ("[polling]\n", NO_TABLE),
        (
            '[connections]\nname = "a"',
            "connections: found a table, expected [[connections]], in two brackets",
        ),
        ("connections = 3", "connections: found 3, expected [[connections]] tables"),
        ('connections = ["contoso"]', "connections[0]: found 'contoso', expected a [[connections]] table"),
    ],
)
def test_connections_that_are_none(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(tmp_path, text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[http]\nlisten = "8620"', "http.listen: found '8620', expected host:port, such as 127.0.0.1:8620"),
        ('[http]\nlisten = "::1:8620"', "http.listen: found '::1:8620', expected host:port, such as"),
        ('[http]\nlisten = "h:70000"', "http.listen: found 'h:70000', expected host:port, such as"),
        ("[http]\nlisten = 8620", "http.listen: found 8620, expected host:port, such as 127.0.0.1:8620"),
        ("http = 8620", "http: found 8620, expected a table: [http]"),
        ('[[http]]\nlisten = ""', "http: found a list, expected a table: [http]"),
        ("[http]\nmax_clients = 1", "http.max_clients: found 1, expected a whole number from 10 to 100000"),
        ('[http]\nmax_clients = "many"', "http.max_clients: found 'many', expected a whole number from 10"),
        ("[http]\nmax_clients = 10.5", "http.max_clients: found 10.5, expected a whole number from 10"),
        ('[http]\nallow_anonymous = "so"', "http.allow_anonymous: found 'so', expected true or false"),
        ('[http]\nhosts = "a"', "http.hosts: found 'a', expected a list, such as [\"...\"]"),
        ("[http]\nhosts = [[1]]", "http.hosts[0]: found a list, expected text in quotes"),
        (
            "[http]\ntoken_file = true",
            "http.token_file: found true or false, expected a file's path in quotes",
        ),
        ("[polling]\ndays_ahead = -1", "polling.days_ahead: found -1, expected a whole number from 0 to 60"),
        ("[polling]\nbudget = 0", "polling.budget: found 0, expected a whole number of at least 1"),
        (
            "[polling]\ndays_ahead = 2026-11-28",
            "polling.days_ahead: found 2026-11-28, expected a whole number",
        ),
        ("[polling]\ninterval = 12:00:00", "polling.interval: found 12:00:00, expected a duration such as"),
        ("[polling]\ninterval = true", 'polling.interval: found true, expected a duration such as "30s"'),
        (
            '[privacy]\nshow = "all"',
            "privacy.show: found 'all', expected nothing, organizer, title or everything",
        ),
        ("[privacy]\nshow = 3", "privacy.show: found 3, expected nothing, organizer, title or everything"),
        ('[mqtt]\nurl = "mqtt://b"\nprotocol = "4"', "mqtt.protocol: found '4', expected 5 or 3.1.1"),
        ('[mqtt]\nurl = "mqtt://b"\nusername = 3', "mqtt.username: found 3, expected text in quotes"),
        ('[rooms]\n"a@b.c" = "x"', 'rooms."a@b.c": found \'x\', expected a table: [rooms."a@b.c"]'),
        ('rooms = ["a@b.c"]', "rooms: found a list, expected a table: [rooms]"),
        (
            '[rooms."a@b.c"]\nid = "Board Room"',
            "rooms.\"a@b.c\".id: found 'Board Room', expected: The room's id in topics and",
        ),
        ('[rooms."a@b.c"]\nfloor = true', 'rooms."a@b.c".floor: found true, expected text in quotes'),
        ('[rooms."a@b.c"]\ntime_zone = 3', 'rooms."a@b.c".time_zone: found 3, expected an IANA time zone'),
        (
            '[occupancy]\nbusy_for = ["free"]',
            "occupancy.busy_for[0]: found 'free', expected busy, tentative, oof or workingElsewhere",
        ),
    ],
)
def test_an_invalid_value_is_reported_with_the_expected_one(tmp_path: Path, text: str, expected: str) -> None:
    (mistake,) = mistakes(
        tmp_path, f"{text}\n{CONNECTION}" if not text.startswith("[") else f"{CONNECTION}{text}"
    )
    assert mistake.startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"contoso"', '"Contoso HQ"', "[0].name: found 'Contoso HQ', expected: The connection's name, in"),
        ('"contoso"', "3", "[0].name: found 3, expected text in quotes"),
        (
            "0000-000000000001",
            "?",
            "[0].client_id: found '00000000-0000-0000-?', expected: The registration's",
        ),
        (
            '"contoso.example"',
            '"https://contoso"',
            "[0].tenant: found 'https://contoso', expected: The tenant's domain name or its GUID",
        ),
        ('["boardroom@contoso.example"]', '"boardroom"', "[0].rooms: found 'boardroom', expected a list"),
        ("rooms = [", 'cloud = "moon"\nrooms = [', "[0].cloud: found 'moon', expected worldwide, usgov, "),
        ('rooms = ["boardroom@contoso.example"]', 'room_group = ""', "[0].room_group: found '', expected: "),
        (
            "rooms = [",
            'fence = "rbac"\nrooms = [',
            "[0].fence: found 'rbac', expected a table: [connections.fence]",
        ),
        (
            "rooms = [",
            "time_zone = 3\nrooms = [",
            "[0].time_zone: found 3, expected an IANA time zone such as",
        ),
    ],
)
def test_a_value_of_a_connection_does_likewise(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (mistake,) = mistakes(tmp_path, CONNECTION.replace(old, new))
    assert mistake.startswith(f"connections{expected}")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PLACED_MQTT", "{", "environment: PLACED_MQTT: found a text, expected a table: [mqtt], as JSON"),
        ("PLACED_CONNECTIONS", "[[]", "environment: PLACED_CONNECTIONS: expected JSON"),
        ("PLACED_HTTP__HOSTS", "a b", "environment: PLACED_HTTP__HOSTS: "),
        ("PLACED_CONNECTIONS__0__NAME", "a", "environment: PLACED_CONNECTIONS__0__NAME: a connection cannot"),
        (
            "PLACED_MQTT",
            '"mqtt://b"',
            "environment: PLACED_MQTT: found 'mqtt://b', expected a table: [mqtt], as JSON",
        ),
    ],
)
def test_a_variable_that_is_no_value_is_named(
    tmp_path: Path, name: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    (mistake,) = mistakes(tmp_path, CONNECTION)
    assert mistake.startswith(expected), mistake
    assert "EnvSettingsSource" not in mistake


@pytest.mark.parametrize("content", ["{", json.dumps("x")])
def test_a_credential_that_is_no_value_is_named_by_its_file(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "placed_mqtt").write_text(content)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (mistake,) = mistakes(tmp_path, CONNECTION)
    assert mistake.startswith(f"{folder / 'placed_mqtt'}: ")
    assert "SettingsSource" not in mistake


def test_a_credentials_directory_that_is_no_folder_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "file"
    odd.write_text("x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(odd))
    (mistake,) = mistakes(tmp_path, CONNECTION)
    assert mistake == (
        f"environment: CREDENTIALS_DIRECTORY: {odd} cannot be read: Not a directory; expected the folder of "
        "systemd's credentials; unset it, or start the service: systemctl start placed"
    )


def test_an_empty_credentials_directory_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "")
    assert found_here("$CREDENTIALS_DIRECTORY/own") == "$CREDENTIALS_DIRECTORY/own"


@pytest.mark.parametrize("folder", ["credentials", "/none/credentials"])
def test_a_credentials_directory_that_is_relative_or_missing_is_named(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", folder)
    remedy = remedy_for_missing(Path(found_here("$CREDENTIALS_DIRECTORY/own")))
    assert remedy.startswith(f"$CREDENTIALS_DIRECTORY is {folder}, expected the absolute path of a folder; ")
