"""What only a person can mend ends the start with code 3 and a line that says what, where and what to do."""

from __future__ import annotations

import os
import re
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import make_client_certificate
from tests.mqtt.broker import Authority, Mosquitto
from tests.service.program import Program, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.service.stage import Stage

LOG = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[(info|warning|error) *\] ")  # a line of the log


def complaints(program: Program) -> list[str]:
    """What it said on stderr, beside the log; there is no other kind of line, so no traceback either."""
    said = [line for line in program.err if not LOG.match(line)]
    assert all(line.startswith("placed: ") for line in said), "\n".join(program.err)
    assert not program.out
    return [line.removeprefix("placed: ") for line in said]


async def complains(stage: Stage) -> list[str]:
    """What `placed run` complains of before it ends with code 3."""
    code, program = await run(stage.folder, "run", "-c", stage.file)
    assert code == 3, "\n".join(program.err)
    return complaints(program)


def edit(stage: Stage, before: str, after: str) -> None:
    """Somebody makes a mistake in the configuration."""
    text = stage.configure().read_text()
    assert before in text
    stage.file.write_text(text.replace(before, after))


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
            "{file}: connections[0].rooms: found 'boardroom', input should be a valid tuple",
        ),
        (
            'tenant = "contoso.example"\n',
            "",
            "{file}: connections[0].tenant: missing; expected: The tenant's domain name or its GUID.",
        ),
        (
            'driver = "microsoft365"',
            'driver = "microsoft356"',
            "{file}: connections[0].driver: unknown driver; installed: microsoft365",
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
async def test_a_mistake_in_the_configuration_is_told_by_file_and_key(
    stage: Stage, before: str, after: str, complaint: str
) -> None:
    edit(stage, before, after)
    (told,) = await complains(stage)
    assert told.startswith(complaint.format(file=stage.file))


async def test_a_configuration_that_does_not_exist_is_named(stage: Stage) -> None:
    assert await complains(stage) == [f"{stage.file}: can not be read: No such file or directory"]


async def test_several_mistakes_are_told_all_at_once(stage: Stage) -> None:
    edit(stage, "interval", "intervall")
    text = stage.file.read_text().replace("client_id", "client")
    stage.file.write_text(f'{text}\n[privacy]\nshow = "all"\n')
    told = await complains(stage)
    keys = [line.split(": ")[1] for line in told]
    assert sorted(keys) == [
        "connections[0].client",
        "connections[0].client_id",
        "polling.intervall",
        "privacy.show",
    ]


async def test_several_files_that_are_of_no_use_are_told_all_at_once(stage: Stage) -> None:
    for name in ("one", "two"):
        stage.connect(name)
        (stage.folder / f"{name}.secret").unlink()
    stage.configure(
        mqtt={"url": stage.broker.url, "password_file": str(stage.folder / "password"), "username": "placed"},
        http={"listen": "127.0.0.1:0", "token_file": str(stage.folder / "token")},
    )
    told = "\n".join(await complains(stage))
    for file in ("one.secret", "two.secret", "password", "token"):
        assert f"{stage.folder / file}" in told


# --- the certificate ---


def nothing(_path: Path) -> None:
    """The file does not exist."""


def no_key(path: Path) -> None:
    pem = make_client_certificate(key_size=2048).decode()
    path.write_text(pem[pem.index("-----BEGIN CERTIFICATE") :])


def no_certificate(path: Path) -> None:
    pem = make_client_certificate(key_size=2048).decode()
    path.write_text(pem[: pem.index("-----BEGIN CERTIFICATE")])


def expired(path: Path) -> None:
    begun = datetime(2024, 1, 1, tzinfo=UTC)
    path.write_bytes(make_client_certificate(key_size=2048, valid_from=begun, lifetime=timedelta(days=30)))


def of_tomorrow(path: Path) -> None:
    begun = datetime.now(UTC) + timedelta(days=1)
    path.write_bytes(make_client_certificate(key_size=2048, valid_from=begun))


def somebody_elses(path: Path) -> None:
    one, other = (make_client_certificate(key_size=2048).decode() for _ in range(2))
    begin = "-----BEGIN CERTIFICATE"
    path.write_text(one[: one.index(begin)] + other[other.index(begin) :])


def a_directory(path: Path) -> None:
    """Stands for a file that may not be read, since root may read everything."""
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (nothing, "can not be read: No such file or directory"),
        (a_directory, "can not be read: Is a directory"),
        (no_key, "holds no private key; expected key and certificate, both in PEM"),
        (no_certificate, "holds no certificate; expected key and certificate, both in PEM"),
        (expired, ": the certificate expired on 2024-01-31; register a new one with the application"),
        (of_tomorrow, "is this machine's clock right?"),
        (somebody_elses, ": the certificate does not belong to the private key"),
    ],
)
async def test_a_certificate_that_is_of_no_use_is_told_by_file_and_key(
    stage: Stage, make: Callable[[Path], None], complaint: str
) -> None:
    path = stage.folder / "contoso.pem"
    make(path)
    stage.connect(certificate=path)
    stage.configure()
    (told,) = await complains(stage)
    assert told.startswith(f"{stage.file}: connections[0].certificate: {path}")
    assert complaint in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
async def test_a_certificate_that_may_not_be_read_is_told_by_file_and_key(stage: Stage) -> None:
    path = stage.folder / "contoso.pem"
    path.write_bytes(make_client_certificate(key_size=2048))
    path.chmod(0)
    stage.connect(certificate=path)
    stage.configure()
    (told,) = await complains(stage)
    assert told == f"{stage.file}: connections[0].certificate: {path} can not be read: Permission denied"


# --- what shows when it starts ---


async def test_a_port_that_is_in_use_is_told(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        stage.configure(http={"listen": listen})
        assert await complains(stage) == [
            f"http.listen: {listen} is in use; stop the program that has the port, or set another port"
        ]


async def test_a_service_whose_certificate_is_not_trusted_is_told(stage: Stage) -> None:
    stranger = Authority(stage.folder / "stranger")
    ca_file = stage.simulator.ca_file
    edit(stage, str(ca_file), str(stranger.ca_file))
    assert await complains(stage) == [
        (
            f"connections.contoso: the TLS certificate of {stage.simulator.url} is not trusted: "
            "set ca_file to the CA that signed it, or correct the address"
        )
    ]


async def test_a_broker_whose_certificate_is_not_trusted_is_told(stage: Stage) -> None:
    mine, stranger = (Authority(stage.folder / name) for name in ("mine", "stranger"))
    broker = Mosquitto(stage.folder / "tls", authority=mine)
    await broker.start()
    try:
        stage.configure(mqtt={"url": broker.url, "ca_file": str(stranger.ca_file)})
        (told,) = await complains(stage)
    finally:
        await broker.kill()
    assert told.startswith(f"mqtt.ca_file: 127.0.0.1:{broker.port}: the broker's certificate: ")
    assert told.endswith("; set mqtt.ca_file to the CA that issued the broker's certificate")


async def test_a_broker_that_refuses_the_login_is_told(stage: Stage) -> None:
    broker = Mosquitto(stage.folder / "closed", users={"placed": "the right one"})
    password = stage.folder / "password"
    password.write_text("hush-wrong-one")
    await broker.start()
    try:
        stage.configure(mqtt={"url": broker.url, "username": "placed", "password_file": str(password)})
        (told,) = await complains(stage)
    finally:
        await broker.kill()
    assert told.startswith(f"mqtt.username: 127.0.0.1:{broker.port}: the broker refused the connection: ")
    assert "check mqtt.username and mqtt.password_file" in told
    assert "hush" not in told


# --- what the service refuses for good ---


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (7000215, "the client secret is wrong; write the secret's value, not its ID, into the file"),
        (7000222, "the client secret has expired; make a new one for the registration"),
        (
            700016,
            "client_id is not known in this tenant; check client_id and tenant, and that consent was given",
        ),
        (90002, "there is no such tenant; check tenant, and whether it lives in another cloud"),
        (700027, "the certificate is not registered with the application, or has expired; upload it there"),
    ],
)
async def test_a_sign_in_that_is_refused_for_good_ends_the_start(
    stage: Stage, number: int, remedy: str
) -> None:
    certificate = stage.folder / "contoso.pem"
    certificate.write_bytes(make_client_certificate(key_size=2048))
    settings: dict[str, Any] = {"certificate": certificate} if number == 700027 else {}
    app = stage.connect(**settings)
    stage.configure()
    match number:
        case 7000215:
            (stage.folder / "contoso.secret").write_text("s3cret of somebody else")
        case 7000222:
            stage.tenant.expire_secrets(app)
        case 700016:
            edit(stage, app.client_id, "12345678-1234-1234-1234-123456789abc")
        case 90002:
            edit(stage, 'tenant = "contoso.example"', 'tenant = "fabrikam.example"')
    assert await complains(stage) == [f"connections.contoso: sign-in refused: AADSTS{number}: {remedy}"]


async def test_every_connection_that_is_refused_is_told_with_its_reason(stage: Stage) -> None:
    stage.connect("one", rooms=["boardroom"])
    stage.tenant.expire_secrets(stage.connect("two", rooms=["library"]))
    stage.configure()
    (stage.folder / "one.secret").write_text("s3cret of somebody else")
    one, two = await complains(stage)
    assert one.startswith("connections.one: sign-in refused: AADSTS7000215")
    assert two.startswith("connections.two: sign-in refused: AADSTS7000222")


async def test_a_fence_that_does_not_hold_ends_the_start(stage: Stage) -> None:
    stage.tenant.add_person("ada")
    stage.connect(more='[connections.fence]\ncanaries = ["ada@contoso.example"]\n')
    stage.configure()
    code, program = await run(stage.folder, "run", "-c", stage.file)
    assert code == 3
    assert "Traceback" not in "\n".join(program.err)
    told = [line for line in program.err if line.startswith("placed: ")]
    assert told == [
        (
            "placed: connections.contoso: the fence does not hold: a canary is readable; "
            "mend the access policy or the RBAC scope before starting again"
        )
    ]
    assert not stage.batches
