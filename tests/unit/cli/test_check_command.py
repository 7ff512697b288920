"""`placed check` where the service's credentials are: with them, without them, and where one is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from placed.cli.commands import app
from placed.driver.shared_findings import look_at_secrets
from placed_google.simulator import Workspace
from placed_microsoft365.simulator import make_client_certificate
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

CONFIGURATION = """
[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "contoso.example"
client_id = "00000000-0000-0000-0000-000000000001"
certificate = "{variable}/secrets_contoso.pem"
rooms = ["boardroom@contoso.example"]
[mqtt]
url = "mqtts://broker.example"
username = "placed"
password_file = "{variable}/encrypted_mqtt"
[http]
token_file = "{variable}/own-token"
"""


@pytest.fixture(autouse=True)
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders that the unit loads credentials from; none is there."""
    etc = tmp_path / "etc"
    etc.mkdir()
    monkeypatch.setattr(
        "placed.driver.secret_file.SOURCES", {"secrets_": etc / "secrets", "encrypted_": etc / "encrypted"}
    )
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("PLACED_CONFIG", raising=False)
    return etc


def checked(folder: Path, variable: str = "$CREDENTIALS_DIRECTORY", more: str = "") -> Result:
    file = folder / "placed.toml"
    file.write_text(CONFIGURATION.format(variable=variable) + more, "utf-8")
    return CliRunner().invoke(app, ["check", "--config", str(file)])


@pytest.mark.parametrize("variable", ["$CREDENTIALS_DIRECTORY", "${CREDENTIALS_DIRECTORY}"])
def test_outside_the_service_it_names_the_skipped_checks_and_how_to_run_them(
    tmp_path: Path, sources: Path, variable: str
) -> None:
    result = checked(tmp_path, variable)
    assert result.exit_code == 0, result.output
    file = tmp_path / "placed.toml"
    first, *rest = result.stdout.splitlines()
    command = (
        "sudo systemd-run --pipe --wait --quiet --collect "
        f"-p LoadCredentialEncrypted=encrypted:{sources}/encrypted "
        "-p LoadCredential=own-token:/path/of/own-token "
        f"-p LoadCredential=secrets:{sources}/secrets placed check --config {file}"
    )
    assert first == f"{file}: good, as far as it can be checked here"
    assert rest[-4:] == [
        f"  not checked: {file}: connections[0].certificate: {variable}/secrets_contoso.pem",
        f"  not checked: {file}: mqtt.password_file: {variable}/encrypted_mqtt",
        f"  not checked: {file}: http.token_file: {variable}/own-token",
        f"  only the service has these files; to check them as well: {command}",
    ]


def test_other_mistakes_are_reported_all_the_same(tmp_path: Path) -> None:
    more = 'certificate = "/none.pem"\n'
    result = checked(tmp_path, more=more)
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert "http.certificate: /none.pem: there is no such file; create it or correct the path" in line


def test_root_checks_the_files_that_the_service_will_be_given(tmp_path: Path, sources: Path) -> None:
    secrets = sources / "secrets"
    secrets.mkdir(mode=0o700)
    write_secret(secrets / "contoso.pem", make_client_certificate(key_size=2048))
    result = checked(tmp_path)
    assert result.exit_code == 0
    assert "contoso.pem" not in result.stdout
    assert "encrypted_mqtt" in result.stdout


def test_a_file_that_the_service_is_not_given_is_named_where_it_has_to_be_made(
    tmp_path: Path, sources: Path
) -> None:
    (sources / "secrets").mkdir(mode=0o700)
    result = checked(tmp_path)
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert line == (
        f"placed: {tmp_path / 'placed.toml'}: connections[0].certificate: "
        f"{sources}/secrets/contoso.pem: there is no such file; create it"
    )


def test_within_the_service_a_file_that_is_missing_is_named_by_its_source(
    tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "run" / "credentials"
    given.mkdir(parents=True)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    result = checked(tmp_path)
    assert result.exit_code == 3
    certificate, password, token = result.stderr.splitlines()
    again = "then systemctl restart placed"
    assert f"systemd did not hand it over; create {sources}/secrets/contoso.pem, {again}" in certificate
    assert f"systemd did not hand it over; create {sources}/encrypted/mqtt, {again}" in password
    assert "add LoadCredential=own-token:/path/of/the/file with systemctl edit placed, " in token
    assert "create it" not in result.stderr


def test_the_doctor_names_the_source_as_well(
    tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "run"
    given.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    (finding,) = look_at_secrets([("certificate", given / "secrets_contoso.pem")])
    assert finding.remedy.startswith(f"systemd did not hand it over; create {sources}/secrets/contoso.pem")


def test_a_folder_that_everybody_may_look_into_protects_no_file(tmp_path: Path, sources: Path) -> None:
    secrets = sources / "secrets"
    secrets.mkdir()
    secrets.chmod(0o755)
    (secrets / "contoso.pem").write_bytes(make_client_certificate(key_size=2048))
    (secrets / "contoso.pem").chmod(0o644)
    assert "can be read by every user of this machine" in checked(tmp_path).stderr
    secrets.chmod(0o700)
    assert checked(tmp_path).exit_code == 0


def test_the_sensors_are_counted_and_a_room_that_is_in_no_list_is_named(
    tmp_path: Path, sources: Path
) -> None:
    secrets = sources / "secrets"
    secrets.mkdir(mode=0o700)
    write_secret(secrets / "contoso.pem", make_client_certificate(key_size=2048))
    write_secret(tmp_path / "token", "webhook-token")
    more = f"""
[sensor_brokers.lorawan]
url = "mqtt://lorawan.example"
[[sensors]]
topic = "radar/boardroom"
room = "boardroom"
presence = "@"
[[sensors]]
topic = "radar/library"
room = "libary"
presence = "@"
[[sensors]]
name = "people"
token_file = "{tmp_path}/token"
device = "device"
rooms = {{ a = "boardroom", b = "atrium" }}
count = "count"
"""
    result = checked(tmp_path, more=more)
    assert result.exit_code == 0, result.output
    file = tmp_path / "placed.toml"
    lines = result.stdout.splitlines()
    assert "  broker of sensors lorawan: mqtt://lorawan.example; no table [[sensors]] names it" in lines
    assert "  tables of sensors: 2 with a topic, 1 with a webhook" in lines
    assert f"  {file}: sensors[1].room: no connection has the room: libary; name the id of a room" in lines
    assert f"  {file}: sensors[2].rooms: no connection has the room: atrium; name the id of a room" in lines
    assert sum("no connection has the room" in line for line in lines) == 2


def test_rooms_of_sensors_are_not_judged_while_the_service_has_to_list_the_rooms(tmp_path: Path) -> None:
    more = '[[sensors]]\ntopic = "radar/library"\nroom = "libary"\npresence = "@"\n'
    file = tmp_path / "placed.toml"
    text = CONFIGURATION.replace('rooms = ["boardroom@contoso.example"]', 'room_list = "*"') + more
    file.write_text(text.format(variable="$CREDENTIALS_DIRECTORY"), "utf-8")
    result = CliRunner().invoke(app, ["check", "--config", str(file)])
    assert result.exit_code == 0, result.output
    assert "  tables of sensors: 1 with a topic" in result.stdout.splitlines()
    assert "libary" not in result.stdout


# --- what a service's limits mean ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rooms", "note"),
    [
        (240, None),
        (300, "    requests_per_minute = 480 suffices to read 240 of 300 rooms every 30 s: "),
        (None, "    requests_per_minute = 480 suffices to read 240 rooms every 30 s; "),
    ],
)
def test_an_interval_that_the_service_does_not_allow_is_explained(
    tmp_path: Path, rooms: int | None, note: str | None
) -> None:
    workspace = Workspace()
    key = workspace.add_key(workspace.add_service_account(), token_uri="https://token.example/token")
    write_secret(tmp_path / "key.json", key)
    listed = [f"c_{number}@resource.calendar.google.com" for number in range(rooms or 0)]
    of = f"rooms = {json.dumps(listed)}" if rooms else 'customer = "C01abc234"'
    file = tmp_path / "placed.toml"
    file.write_text(
        f'[[connections]]\nname = "fabrikam"\ndriver = "google"\nkey_file = "{tmp_path}/key.json"\n{of}\n'
    )
    result = CliRunner().invoke(app, ["check", "--config", str(file)])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    place = lines.index("  connection fabrikam: google")
    assert lines[place + 1].startswith(note or "  broker: ")
