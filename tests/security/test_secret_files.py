"""A secret that everybody on the machine can read is refused, whichever part reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.exit_errors import CannotStart
from placed.driver import Exposed, SettingsError, read_certificate, read_secret
from placed.http.listen_options import bearer_token
from placed.mqtt.client_options import login_options
from placed.settings.output_settings import Http, Mqtt
from placed_microsoft365.auth.credential import load_credential
from placed_microsoft365.settings import Microsoft365Settings
from tests.drivers.microsoft365.driver_setup import CERTIFICATE
from tests.support.mosquitto import Authority
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.deployment import Deployment

HUSH = b"hush-secret"
REMEDY = "; chmod o-rwx {path}, or hand it over by LoadCredential (systemd/README.md)"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    write_secret(path, HUSH)
    return path


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640, 0o660, 0o661])
def test_its_owner_and_a_group_may_read_it(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    assert read_secret(secret) == HUSH


@pytest.mark.parametrize(
    ("mode", "doing"), [(0o604, "read"), (0o644, "read"), (0o602, "changed"), (0o666, "changed")]
)
def test_what_everybody_can_read_or_change_is_no_secret(secret: Path, mode: int, doing: str) -> None:
    secret.chmod(mode)
    with pytest.raises(Exposed) as refused:
        read_secret(secret)
    described = f"can be {doing} by every user of this machine (mode {mode:04o})"
    assert str(refused.value) == described + REMEDY.format(path=secret)


def test_of_a_link_it_is_the_file_behind_it_that_counts(secret: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(secret)
    assert read_secret(link) == HUSH  # though every link may be read by everybody
    secret.chmod(0o644)
    with pytest.raises(Exposed):
        read_secret(link)


def test_a_pipe_counts_as_private(tmp_path: Path) -> None:
    """As a shell's `<(...)` hands it over."""
    reading, writing = os.pipe()
    try:
        os.write(writing, HUSH)
        os.close(writing)
        assert read_secret(type(tmp_path)(f"/dev/fd/{reading}")) == HUSH
    finally:
        os.close(reading)


def test_what_systemd_keeps_is_not_judged_by_its_mode(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret.chmod(0o444)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent))
    assert read_secret(secret) == HUSH
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secret.parent / "elsewhere"))
    with pytest.raises(Exposed):
        read_secret(secret)


@pytest.mark.parametrize(
    "label", [b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY", b"ENCRYPTED PRIVATE KEY"]
)
def test_a_certificate_is_a_secret_where_its_key_is_in_it(tmp_path: Path, label: bytes) -> None:
    path = tmp_path / "pem"
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    path.chmod(0o644)
    assert read_certificate(path).startswith(b"-----BEGIN")
    path.write_bytes(b"-----BEGIN " + label + b"-----\n")
    with pytest.raises(Exposed):
        read_certificate(path)


# --- all who read secrets -----------------------------------------------------------------------------------


def driver(tmp_path: Path, key: str, content: bytes) -> str:
    path = tmp_path / "exposed"
    path.write_bytes(content)
    path.chmod(0o644)
    settings = Microsoft365Settings.model_validate(
        {"name": "contoso", "tenant": "t.example", "client_id": "id", "room_list": "*", key: path}
    )
    with pytest.raises(SettingsError) as refused:
        load_credential(settings)
    assert refused.value.problem.key == key
    return str(refused.value)


def client_secret(tmp_path: Path) -> str:
    return driver(tmp_path, "client_secret_file", HUSH)


def certificate(tmp_path: Path) -> str:
    return driver(tmp_path, "certificate", CERTIFICATE)


def mqtt(exposed: Path, key: str, **more: Any) -> str:
    exposed.chmod(0o644)
    settings = Mqtt.model_validate({"url": "mqtts://broker.example", key: exposed, **more})
    with pytest.raises(CannotStart) as refused:
        login_options(settings, "placed")
    (problem,) = refused.value.problems
    assert problem.line.startswith(f"mqtt.{key}: ")
    return problem.line


def password(tmp_path: Path) -> str:
    path = tmp_path / "exposed"
    path.write_bytes(HUSH)
    return mqtt(path, "password_file", username="placed")


def mqtt_key(tmp_path: Path) -> str:
    pem, key = Authority(tmp_path).issue("client")
    return mqtt(key.rename(tmp_path / "exposed"), "key", certificate=pem)


def mqtt_certificate_with_its_key(tmp_path: Path) -> str:
    pem, key = Authority(tmp_path).issue("client")
    both = tmp_path / "exposed"
    both.write_bytes(key.read_bytes() + pem.read_bytes())
    return mqtt(both, "certificate")


def token(tmp_path: Path) -> str:
    path = tmp_path / "exposed"
    path.write_bytes(HUSH)
    path.chmod(0o644)
    with pytest.raises(CannotStart) as refused:
        bearer_token(Http(token_file=path))
    (problem,) = refused.value.problems
    assert problem.line.startswith("http.token_file: ")
    return problem.line


@pytest.mark.parametrize(
    "problem_of", [client_secret, certificate, password, mqtt_key, mqtt_certificate_with_its_key, token]
)
def test_every_reader_of_an_exposed_secret_refuses_it_in_one_line(
    problem_of: Callable[[Path], str], tmp_path: Path
) -> None:
    problem = problem_of(tmp_path)
    path = tmp_path / "exposed"
    assert f"{path}" in problem.partition(" can be read by every user of this machine (mode 0644)")[0]
    assert problem.endswith(REMEDY.format(path=path))
    assert "\n" not in problem
    assert HUSH.decode() not in problem


def test_a_public_certificate_may_be_read_by_everybody(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pem, key = authority.issue("client")
    for public in (pem, authority.ca_file):
        public.chmod(0o644)
    options = {"url": "mqtts://broker.example", "certificate": pem, "key": key, "ca_file": authority.ca_file}
    assert login_options(Mqtt.model_validate(options), "placed").tls


@pytest.mark.parametrize("command", ["check", "run"])
async def test_the_command_ends_with_3_and_reports_every_exposed_secret(
    deployment: Deployment, command: str
) -> None:
    deployment.connect()
    token = deployment.folder / "token"
    write_secret(token, HUSH)
    deployment.configure(http={"listen": "127.0.0.1:0", "token_file": str(token)})
    for path in (deployment.folder / "contoso.secret", token):
        path.chmod(0o644)
    code, program = await run(deployment.folder, command, "-c", deployment.file)
    assert code == 3
    problem_of = "\n".join([*program.out, *program.err])
    for key, path in (
        ("connections[0].client_secret_file", deployment.folder / "contoso.secret"),
        ("http.token_file", token),
    ):
        assert f"{key}: {path}" in problem_of
        assert f"chmod o-rwx {path}" in problem_of
    assert "Traceback" not in problem_of
    assert deployment.logins == 0


async def test_a_token_of_the_command_line_is_judged_like_those_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(HUSH)
    path.chmod(0o644)
    code, program = await run(
        tmp_path, "rooms", "--once", "--url", "http://127.0.0.1:9", "--token-file", path
    )
    assert (code, len(program.err)) == (2, 1)
    assert program.err[0].endswith(REMEDY.format(path=path))
