"""What a mistake in the settings is called, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import find_drivers
from placed.settings.loader import ConfigurationError, load
from placed.settings.output_settings import Mqtt
from tests.unit.settings.test_loader import CONNECTION, mistakes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[polling]\nintervall = 3", "polling.intervall: unknown key; did you mean interval?"),
        ("[poling]\n", "poling: unknown key; did you mean polling?"),
        ("[polling]\ninterval = 30", 'polling.interval: found 30, expected a duration such as "30s"'),
        ('[polling]\ninterval = "0s"', "polling.interval: found '0s', expected a duration longer than"),
        (
            '[polling]\ndays_ahead = "many"',
            "polling.days_ahead: found 'many', expected a whole number from 0 to 60",
        ),
        ("[polling]\ndays_ahead = true", "polling.days_ahead: found true, expected a whole number"),
        ("[polling]\nbudget = false", "polling.budget: found false, expected a whole number"),
        ('[privacy]\nshow = "all"', "privacy.show: found 'all', expected nothing, organizer, title"),
        ('[mqtt]\nurl = "broker"', "mqtt.url: found 'broker', expected mqtt://host[:1883] or mqtts://"),
        ('[mqtt]\nusername = "x"', "mqtt.url: missing; expected: mqtt://host:1883, or mqtts://"),
        (
            '[mqtt]\nurl = "mqtt://b"\nbase_topic = "a/#"',
            "mqtt.base_topic: found 'a/#', expected topic levels",
        ),
        (
            '[mqtt]\nurl = "mqtt://b"\nusername = "a\\u0000"',
            "mqtt.username: found 'a\\x00', expected text that MQTT can send",
        ),
        (
            '[mqtt]\nurl = "mqtt://b"\nclient_id = "a\\u0000"',
            "mqtt.client_id: found 'a\\x00', expected text that MQTT can send",
        ),
        (
            f'[mqtt]\nurl = "mqtt://b"\nbase_topic = "{"a" * 1001}"',
            "', expected at most 1000 bytes",
        ),
        (
            '[mqtt]\nurl = "mqtt://b"\npassword_file = "/a\\u0000b"',
            "mqtt.password_file: found a text, expected the path of a file",
        ),
        ('[http]\nlisten = "8620"', "http.listen: found '8620', "),
        ('[rooms."a@b.c"]\nflor = 3', 'rooms."a@b.c".flor: unknown key; did you mean floor?'),
        ('[rooms."a@b.c"]\ntime_zone = "Mars"', "expected an IANA time zone such as Europe/Berlin"),
        ('[rooms."a@b.c"]\nid = "x"\n[rooms."d@b.c"]\nid = "x"', "rooms: x is used more than once"),
        ('[occupancy]\nbusy_for = ["free"]', "occupancy.busy_for[0]: found 'free', "),
    ],
)
def test_an_error_is_reported_with_file_key_and_expected_value(
    file: Callable[[str], Path], text: str, expected: str
) -> None:
    (mistake,) = mistakes(file(CONNECTION + text))
    assert expected in mistake


@pytest.mark.parametrize("value", ["\udcff", "x" * 65536, "\u20ac" * 21846])
def test_a_login_that_does_not_fit_into_a_packet_is_refused(value: str) -> None:
    for key in ("username", "client_id"):
        with pytest.raises(ValueError, match="expected text that MQTT can send"):
            Mqtt.model_validate({"url": "mqtt://b", key: value})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('tenant = "contoso.example"', "", "connections[0].tenant: missing; expected: The tenant's domain"),
        ("tenant =", "tennant =", "connections[0].tennant: unknown key; did you mean tenant?"),
        (
            '"microsoft365"',
            '"exchange"',
            f"connections[0].driver: unknown driver; installed: {', '.join(sorted(find_drivers()))}",
        ),
        ("0001", "?", "connections[0].client_id: found "),
        ('"contoso"', '"Contoso HQ"', "connections[0].name: found 'Contoso HQ', "),
        (
            'client_secret_file = "',
            'client_secret_file = "\\u0000',
            "connections[0].client_secret_file: found a text, expected the path of a file",
        ),
        ("client_secret_file = ", "client_secret = ", "connections[0].client_secret: unknown key"),
        ('rooms = ["boardroom@contoso.example"]', "", "expected one of rooms, room_group and room_list"),
        (
            '"boardroom@contoso.example"',
            '"boardroom"',
            "connections[0].rooms[0]: found 'boardroom', expected an",
        ),
    ],
)
def test_an_error_in_a_connection_is_reported_in_the_same_form(
    file: Callable[[str], Path], old: str, new: str, expected: str
) -> None:
    assert any(expected in mistake for mistake in mistakes(file(CONNECTION.replace(old, new))))


def test_all_errors_are_reported_together(
    file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACED_MQQT__URL", "mqtt://b")
    found = mistakes(file(CONNECTION + "[polling]\nintervall = 3\ndays_ahead = -1\n[http]\nport = 3\n"))
    assert len(found) == 4
    assert any("PLACED_MQQT__URL: unknown setting; did you mean PLACED_MQTT?" in line for line in found)


def test_a_mistake_in_another_file_or_the_environment_names_that(
    file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = file(CONNECTION)
    (tmp_path / "placed.d").mkdir()
    extra = tmp_path / "placed.d" / "x.toml"
    extra.write_text("[polling]\nfoo = 1\n", "utf-8")
    monkeypatch.setenv("PLACED_OCCUPANCY__LEAD", "soon")
    assert sorted(mistakes(main)) == [
        (
            f"{extra}: polling.foo: unknown key; "
            "known: budget, concurrency, days_ahead, interval, rediscover, working_days, working_hours"
        ),
        (
            "environment: PLACED_OCCUPANCY__LEAD: found 'soon', expected "
            'a duration such as "30s", "5m" or "1h"'
        ),
    ]


def test_a_secret_in_the_wrong_place_is_not_repeated(file: Callable[[str], Path]) -> None:
    text = CONNECTION.replace('client_secret_file = "/run/secret"', 'client_secret = "hunter2"')
    assert "hunter2" not in "".join(mistakes(file(text + '[mqtt]\nurl = "mqtt://u:hunter2@b"')))


def test_two_connections_may_not_have_one_name(file: Callable[[str], Path]) -> None:
    assert any("contoso is used more than once" in line for line in mistakes(file(CONNECTION + CONNECTION)))


def test_a_file_that_is_not_there_or_no_toml_is_named(file: Callable[[str], Path], tmp_path: Path) -> None:
    assert mistakes(tmp_path / "none.toml") == ["cannot be read: No such file or directory"]
    (syntax,) = mistakes(file("[polling\n"))
    assert syntax.startswith("no valid TOML: ")
    assert "line 1" in syntax
    path = file("")
    path.write_bytes(b"\xff")
    assert mistakes(path) == ["expected UTF-8 text, found byte 0xff in line 1; save the file as UTF-8"]


def test_without_any_file_the_expected_path_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("placed.settings.loader.DEFAULT_FILE", tmp_path / "placed.toml")
    with pytest.raises(ConfigurationError, match="there is no such file; write it, or name another"):
        load()


def test_nothing_at_all_is_a_mistake_too(file: Callable[[str], Path]) -> None:
    assert any("connections: there is no [[connections]] table" in line for line in mistakes(file("")))
