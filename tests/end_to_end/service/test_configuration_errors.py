"""An error that only a person can fix ends the start with code 3 and a line: what, where and the remedy."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed.driver import find_drivers
from placed_microsoft365.simulator import make_client_certificate
from tests.end_to_end.service.startup_errors import complains, edit
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.deployment import Deployment

INSTALLED = ", ".join(sorted(find_drivers()))

# --- the configuration ---


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("interval", "intervall", "{file}: polling.intervall: unknown key; did you mean interval?"),
        (
            'interval = "1s"',
            "interval = 1",
            '{file}: polling.interval: found 1, expected a duration such as "30s", "5m" or "1h"',
        ),
        (
            'rooms = ["boardroom@contoso.example", "library@contoso.example"]',
            'rooms = "boardroom"',
            "{file}: connections[0].rooms: found 'boardroom', expected a list, such as",
        ),
        (
            'tenant = "contoso.example"\n',
            "",
            "{file}: connections[0].tenant: missing; expected: The tenant's domain name or its GUID.",
        ),
        (
            'driver = "microsoft365"',
            'driver = "microsoft356"',
            f"{{file}}: connections[0].driver: unknown driver; installed: {INSTALLED}",
        ),
        ("[mqtt]", "[mqqt]", "{file}: mqqt: unknown key; did you mean mqtt?"),
        ("[mqtt]", "[mqtt", "{file}: no valid TOML: Expected ']' at the end of a table declaration"),
    ],
    ids=[
        "unknown-key",
        "wrong-type",
        "wrong-list",
        "missing-key",
        "unknown-driver",
        "unknown-table",
        "syntax",
    ],
)
async def test_a_configuration_error_is_reported_with_file_and_key(
    deployment: Deployment, before: str, after: str, complaint: str
) -> None:
    edit(deployment, before, after)
    (reported,) = await complains(deployment)
    assert reported.startswith(complaint.format(file=deployment.file))


async def test_a_configuration_that_does_not_exist_is_named(deployment: Deployment) -> None:
    assert await complains(deployment) == [f"{deployment.file}: cannot be read: No such file or directory"]


async def test_several_configuration_errors_are_reported_together(deployment: Deployment) -> None:
    edit(deployment, "interval", "intervall")
    text = deployment.file.read_text().replace("client_id", "client")
    deployment.file.write_text(f'{text}\n[privacy]\nshow = "all"\n')
    reported = await complains(deployment)
    keys = [line.split(": ")[1] for line in reported]
    assert sorted(keys) == [
        "connections[0].client",
        "connections[0].client_id",
        "polling.intervall",
        "privacy.show",
    ]


async def test_several_invalid_files_are_reported_together(deployment: Deployment) -> None:
    for name in ("one", "two"):
        deployment.connect(name)
        (deployment.folder / f"{name}.secret").unlink()
    deployment.configure(
        mqtt={
            "url": deployment.broker.url,
            "password_file": str(deployment.folder / "password"),
            "username": "placed",
        },
        http={"listen": "127.0.0.1:0", "token_file": str(deployment.folder / "token")},
    )
    reported = "\n".join(await complains(deployment))
    for file in ("one.secret", "two.secret", "password", "token"):
        assert f"{deployment.folder / file}" in reported


# --- the certificate ---


def nothing(_path: Path) -> None:
    """The file does not exist."""


def no_key(path: Path) -> None:
    pem = make_client_certificate(key_size=2048).decode()
    path.write_text(pem[pem.index("-----BEGIN CERTIFICATE") :])


def no_certificate(path: Path) -> None:
    pem = make_client_certificate(key_size=2048).decode()
    write_secret(path, pem[: pem.index("-----BEGIN CERTIFICATE")])


def expired(path: Path) -> None:
    begun = datetime(2024, 1, 1, tzinfo=UTC)
    write_secret(path, make_client_certificate(key_size=2048, valid_from=begun, lifetime=timedelta(days=30)))


def of_tomorrow(path: Path) -> None:
    begun = datetime.now(UTC) + timedelta(days=1)
    write_secret(path, make_client_certificate(key_size=2048, valid_from=begun))


def somebody_elses(path: Path) -> None:
    one, other = (make_client_certificate(key_size=2048).decode() for _ in range(2))
    begin = "-----BEGIN CERTIFICATE"
    write_secret(path, one[: one.index(begin)] + other[other.index(begin) :])


def open_to_everybody(path: Path) -> None:
    path.write_bytes(make_client_certificate(key_size=2048))
    path.chmod(0o644)


def a_directory(path: Path) -> None:
    """Stands for a file that may not be read, since root may read everything."""
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (nothing, "cannot be read: No such file or directory"),
        (a_directory, "cannot be read: Is a directory"),
        (no_key, "holds no private key; expected key and certificate, both in PEM"),
        (no_certificate, "holds no certificate; expected key and certificate, both in PEM"),
        (expired, ": the certificate expired on 2024-01-31; register a new one with the application"),
        (open_to_everybody, " can be read by every user of this machine (mode 0644); chmod o-rwx "),
        (somebody_elses, ": the certificate does not belong to the private key"),
    ],
)
async def test_an_invalid_certificate_is_reported_with_file_and_key(
    deployment: Deployment, make: Callable[[Path], None], complaint: str
) -> None:
    path = deployment.folder / "contoso.pem"
    make(path)
    deployment.connect(certificate=path)
    deployment.configure()
    (reported,) = await complains(deployment)
    assert reported.startswith(f"{deployment.file}: connections[0].certificate: {path}")
    assert complaint in reported


async def test_a_certificate_of_tomorrow_is_judged_by_the_login_hosts_time(deployment: Deployment) -> None:
    """A clock that is behind would have refused one that is good, so the login host is asked first."""
    path = deployment.folder / "contoso.pem"
    of_tomorrow(path)
    deployment.connect(certificate=path)
    deployment.configure()
    (reported,) = await complains(deployment)
    assert reported.startswith(
        "connections.contoso: sign-in refused: AADSTS700027; the certificate is valid only"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
async def test_an_unreadable_certificate_is_reported_with_file_and_key(deployment: Deployment) -> None:
    path = deployment.folder / "contoso.pem"
    path.write_bytes(make_client_certificate(key_size=2048))
    path.chmod(0)
    deployment.connect(certificate=path)
    deployment.configure()
    (reported,) = await complains(deployment)
    assert (
        reported == f"{deployment.file}: connections[0].certificate: {path} cannot be read: Permission denied"
    )


# --- before anybody is asked ---


async def test_with_its_port_in_use_the_daemon_sends_no_request_to_the_calendar_service(
    deployment: Deployment,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        deployment.configure(http={"listen": f"127.0.0.1:{taken.getsockname()[1]}"})
        (reported,) = await complains(deployment)
    assert "is in use; stop the program that has the port" in reported
    assert not deployment.simulator.requests


async def test_without_the_broker_password_the_daemon_sends_no_request_to_the_calendar_service(
    deployment: Deployment,
) -> None:
    missing = deployment.folder / "password"
    deployment.configure(
        mqtt={"url": deployment.broker.url, "username": "placed", "password_file": str(missing)}
    )
    (reported,) = await complains(deployment)
    assert "mqtt.password_file" in reported
    assert not deployment.simulator.requests
