"""What only shows when it starts, and that only a person can mend, ends it with code 3, too."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import make_client_certificate
from tests.end_to_end.service.startup_errors import complains, edit
from tests.support.mosquitto import Authority, Mosquitto
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from tests.support.daemon_environment import Stage


async def test_a_port_in_use_is_reported(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        stage.configure(http={"listen": listen})
        (told,) = await complains(stage)
        assert told == (
            f"{stage.file}: http.listen: {listen} is in use; "
            "stop the program that has the port, or set another port"
        )


async def test_a_service_with_an_untrusted_certificate_is_reported(stage: Stage) -> None:
    stranger = Authority(stage.folder / "stranger")
    ca_file = stage.simulator.ca_file
    edit(stage, str(ca_file), str(stranger.ca_file))
    assert await complains(stage) == [
        (
            f"connections.contoso: the TLS certificate of {stage.simulator.url} is not trusted: "
            "set ca_file to the CA that signed it, or correct the address"
        )
    ]


async def test_a_broker_with_an_untrusted_certificate_is_reported(stage: Stage) -> None:
    mine, stranger = (Authority(stage.folder / name) for name in ("mine", "stranger"))
    broker = Mosquitto(stage.folder / "tls", authority=mine)
    await broker.start()
    try:
        stage.configure(mqtt={"url": broker.url, "ca_file": str(stranger.ca_file)})
        (told,) = await complains(stage)
    finally:
        await broker.kill()
    assert told.startswith(f"{stage.file}: mqtt.ca_file: 127.0.0.1:{broker.port}: the broker's certificate: ")
    assert told.endswith("; set mqtt.ca_file to the CA that issued the broker's certificate")


async def test_a_broker_that_refuses_the_login_is_reported(stage: Stage) -> None:
    broker = Mosquitto(stage.folder / "closed", users={"placed": "the right one"})
    password = stage.folder / "password"
    write_secret(password, "hush-wrong-one")
    await broker.start()
    try:
        stage.configure(mqtt={"url": broker.url, "username": "placed", "password_file": str(password)})
        (told,) = await complains(stage)
    finally:
        await broker.kill()
    assert told.startswith(
        f"{stage.file}: mqtt.username: 127.0.0.1:{broker.port}: the broker refused the connection: "
    )
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
            (
                "client_id is not known in this tenant; register it (placed setup writes the script), "
                "or correct client_id"
            ),
        ),
        (90002, "there is no such tenant; check tenant, and whether it lives in another cloud"),
        (
            700027,
            (
                "the certificate is not registered with the application, or expired; upload it there "
                "(placed setup writes the script)"
            ),
        ),
    ],
)
async def test_a_sign_in_that_is_refused_for_good_ends_the_start(
    stage: Stage, number: int, remedy: str
) -> None:
    certificate = stage.folder / "contoso.pem"
    write_secret(certificate, make_client_certificate(key_size=2048))
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


async def test_every_refused_connection_is_reported_with_its_reason(stage: Stage) -> None:
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
            "fix the access policy or the RBAC scope before starting again"
        )
    ]
    assert not stage.batches
