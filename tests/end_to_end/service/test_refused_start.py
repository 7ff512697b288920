"""An error that shows only during the start, and that only a person can fix, also ends it with code 3."""

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
    from tests.support.deployment import Deployment


async def test_a_port_in_use_is_reported(deployment: Deployment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        deployment.configure(http={"listen": listen})
        (reported,) = await complains(deployment)
        assert reported == (
            f"{deployment.file}: http.listen: {listen} is in use; "
            "stop the program that has the port, or set another port"
        )


async def test_a_service_with_an_untrusted_certificate_is_reported(deployment: Deployment) -> None:
    stranger = Authority(deployment.folder / "stranger")
    ca_file = deployment.simulator.ca_file
    edit(deployment, str(ca_file), str(stranger.ca_file))
    assert await complains(deployment) == [
        (
            f"connections.contoso: the TLS certificate of {deployment.simulator.url} is not trusted: "
            "set ca_file to the CA that signed it, or correct the address"
        )
    ]


async def test_a_broker_with_an_untrusted_certificate_is_reported(deployment: Deployment) -> None:
    mine, stranger = (Authority(deployment.folder / name) for name in ("mine", "stranger"))
    broker = Mosquitto(deployment.folder / "tls", authority=mine)
    await broker.start()
    try:
        deployment.configure(mqtt={"url": broker.url, "ca_file": str(stranger.ca_file)})
        (reported,) = await complains(deployment)
    finally:
        await broker.kill()
    assert reported.startswith(
        f"{deployment.file}: mqtt.ca_file: 127.0.0.1:{broker.port}: the broker's certificate: "
    )
    assert reported.endswith("; set mqtt.ca_file to the CA that issued the broker's certificate")


async def test_a_broker_that_refuses_the_login_is_reported(deployment: Deployment) -> None:
    broker = Mosquitto(deployment.folder / "closed", users={"placed": "the right one"})
    password = deployment.folder / "password"
    write_secret(password, "hush-wrong-one")
    await broker.start()
    try:
        deployment.configure(mqtt={"url": broker.url, "username": "placed", "password_file": str(password)})
        (reported,) = await complains(deployment)
    finally:
        await broker.kill()
    assert reported.startswith(
        f"{deployment.file}: mqtt.username: 127.0.0.1:{broker.port}: the broker refused the connection: "
    )
    assert "check mqtt.username and mqtt.password_file" in reported
    assert "hush" not in reported


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
    deployment: Deployment, number: int, remedy: str
) -> None:
    certificate = deployment.folder / "contoso.pem"
    write_secret(certificate, make_client_certificate(key_size=2048))
    settings: dict[str, Any] = {"certificate": certificate} if number == 700027 else {}
    app = deployment.connect(**settings)
    deployment.configure()
    match number:
        case 7000215:
            (deployment.folder / "contoso.secret").write_text("s3cret of somebody else")
        case 7000222:
            deployment.tenant.expire_secrets(app)
        case 700016:
            edit(deployment, app.client_id, "12345678-1234-1234-1234-123456789abc")
        case 90002:
            edit(deployment, 'tenant = "contoso.example"', 'tenant = "fabrikam.example"')
    assert await complains(deployment) == [f"connections.contoso: sign-in refused: AADSTS{number}: {remedy}"]


async def test_every_refused_connection_is_reported_with_its_reason(deployment: Deployment) -> None:
    deployment.connect("one", rooms=["boardroom"])
    deployment.tenant.expire_secrets(deployment.connect("two", rooms=["library"]))
    deployment.configure()
    (deployment.folder / "one.secret").write_text("s3cret of somebody else")
    one, two = await complains(deployment)
    assert one.startswith("connections.one: sign-in refused: AADSTS7000215")
    assert two.startswith("connections.two: sign-in refused: AADSTS7000222")


async def test_a_fence_that_does_not_hold_ends_the_start(deployment: Deployment) -> None:
    deployment.tenant.add_person("ada")
    deployment.connect(more='[connections.fence]\ncanaries = ["ada@contoso.example"]\n')
    deployment.configure()
    code, program = await run(deployment.folder, "run", "-c", deployment.file)
    assert code == 3
    assert "Traceback" not in "\n".join(program.err)
    reported = [line for line in program.err if line.startswith("placed: ")]
    assert reported == [
        (
            "placed: connections.contoso: the fence does not hold: a canary is readable; "
            "fix the access policy or the RBAC scope before starting again"
        )
    ]
    assert not deployment.batches
