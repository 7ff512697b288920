"""No secret and no person appears in any output of the program."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from placed_microsoft365.simulator import (
    UNTOUCHED,
    CalendarProcessing,
    Fault,
    Kind,
    Where,
    make_client_certificate,
)
from tests.support.deployment import Deployment
from tests.support.mosquitto import Mosquitto, Subscriber
from tests.support.placed_process import Program, run
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_microsoft365.simulator.http_messages import Request
    from placed_simulator.http_messages import Reply

PASSWORD, TOKEN, SECRET = "hush-broker-password", "hush-http-token", "s3cret~of~second"
PEOPLE = ("Grace Quillfeather", "Alan Nightingale")
SUBJECTS = ("Salary review", "Acquisition of Fabrikam")
PAGES = (
    "/",
    "/rooms/boardroom",
    "/api/v1/rooms",
    "/api/v1/rooms/boardroom",
    "/api/v1/rooms/nowhere",
    "/api/v1/connections",
    "/api/v1/connections/first/rooms",
    "/api/v1/connections/second/rooms",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
)
HOUR = timedelta(hours=1)
FAULTS = (
    Fault(kind=Kind.STATUS, status=403, code="ErrorAccessDenied"),
    Fault(kind=Kind.BAD_EVENT, detail="end_before_start"),
    Fault(kind=Kind.BAD_EVENT, detail="bad_date"),
    Fault(kind=Kind.WRONG_TYPES, detail="event_is_string"),
    Fault(kind=Kind.HTML, status=502),
    Fault(kind=Kind.STATUS, where=Where.BATCH, status=429, code="TooManyRequests", retry_after="0.2"),
    Fault(kind=Kind.TRUNCATED, where=Where.BATCH),
    Fault(kind=Kind.DROP, where=Where.GRAPH),
    Fault(kind=Kind.AADSTS, where=Where.LOGIN, error=90033),
)


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """Two connections, a broker that wants a login, an endpoint that wants a token."""
    async with Deployment.open(tmp_path) as deployment:
        await deployment.broker.kill()  # the one that lets everybody in
        deployment.broker = Mosquitto(tmp_path / "closed", users={"placed": PASSWORD, "panel": "panel"})
        await deployment.broker.start()
        certificate = tmp_path / "first.pem"
        write_secret(certificate, make_client_certificate(key_size=2048))
        for name, content in (("password", PASSWORD), ("token", TOKEN)):
            write_secret(tmp_path / name, content)
        deployment.tenant.add_person("alan.nightingale", name=PEOPLE[1])
        first = deployment.connect(
            "first",
            rooms=["boardroom"],
            certificate=certificate,
            more='[connections.fence]\ncanaries = ["alan.nightingale@contoso.example"]\n',
        )
        first.certificates = deployment.tenant.register_app(
            certificates=[certificate.read_bytes()]
        ).certificates
        deployment.tenant.restrict(first, deployment.tenant.add_group("fence", members=["boardroom"]))
        deployment.connect("second", rooms=["library", "nowhere"])
        deployment.tenant.set_processing("boardroom", UNTOUCHED)
        deployment.tenant.set_processing(
            "library", CalendarProcessing()
        )  # puts the organizer's name into the subject
        deployment.configure(
            polling={"interval": "100ms"},
            mqtt={
                "url": deployment.broker.url,
                "username": "placed",
                "password_file": str(tmp_path / "password"),
            },
            http={"listen": "127.0.0.1:0", "token_file": str(tmp_path / "token")},
        )
        yield deployment
        await deployment.broker.kill()


@pytest.mark.parametrize("log_format", [pytest.param("text", marks=pytest.mark.long), "json"])
async def test_a_busy_day_gives_nothing_away(
    deployment: Deployment, log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asserted = assertions(deployment, monkeypatch)
    arguments = ("run", "-c", deployment.file, "--verbose", "--log-format", log_format)
    streamed: list[str] = []
    async with AsyncExitStack() as stack:
        panel = await stack.enter_async_context(
            Subscriber(deployment.broker, "#", username="panel", password="panel")
        )
        program = await stack.enter_async_context(Program.start(deployment.folder, *arguments))
        url = (
            (await program.wait_for_line("http.is_listening"))
            .rpartition("http://")[2]
            .split('"')[0]
            .split()[0]
        )
        web = await stack.enter_async_context(Web(f"http://{url}", TOKEN))
        stranger = await stack.enter_async_context(Web(f"http://{url}", f"{TOKEN}s"))
        await program.wait_for_line("daemon.became_ready")
        streaming = asyncio.create_task(stream(f"http://{url}", streamed))
        await a_busy_day(deployment, panel)
        streamed += [(await client.get(page))[1] for page in PAGES for client in (web, stranger)]
        program.signal(signal.SIGHUP)
        await program.wait_for_line("configuration.was_reloaded")
        (deployment.folder / "second.secret").write_text("s3cret of somebody else")
        program.signal(signal.SIGTERM)
        assert await program.ends() == 0
        await streaming
        streamed += [f"{a.topic} {a.payload!r} {a.properties}" for a in panel.arrivals]
        logs = [*program.out, *program.err]
    everything = "\n".join([*logs, *streamed])
    assert given_away(deployment, asserted, everything) == []
    assert "@contoso.example" not in "\n".join(streamed)
    assert "Traceback" not in everything
    assert [line for line in logs if "room.became_busy" in line]


def given_away(deployment: Deployment, asserted: set[str], text: str) -> list[str]:
    """What of all that is secret, and of all people, is in the text."""
    keys = (deployment.folder / "first.pem").read_text().splitlines()
    tokens = {token for tokens in deployment.tenant.tokens._issued.values() for token in tokens}
    secret = {
        PASSWORD,
        TOKEN,
        SECRET,
        *(line for line in keys if not line.startswith("-----")),
        *tokens,
        *asserted,
    }
    persons = {
        word
        for person in PEOPLE
        for word in (person, *person.split(), f"{person.lower().replace(' ', '.')}@contoso.example")
    }
    assert len(tokens) >= 2  # of two connections
    assert asserted
    return [value for value in (*secret, *persons, *SUBJECTS) if value in text]


async def test_the_commands_give_nothing_away(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them, with a tenant that is in order, and with one that refuses."""
    asserted = assertions(deployment, monkeypatch)
    deployment.tenant.book(
        "boardroom", deployment.clock.now(), deployment.clock.now() + HOUR, subject=SUBJECTS[0]
    )
    config, output = ("-c", str(deployment.file)), ("--output", str(deployment.folder))
    commands = [
        ("check", *config),
        ("doctor", *config),
        ("doctor", "--json", *config),
        ("consent", "first", "--link", "--timeout", "1s", *config),
        ("consent", "first", "--request", "--because", "the panels", "--who", "the desk", *output, *config),
        ("consent", "first", "--status", *config),
        ("consent", "first", "--wait", "--timeout", "1s", *config),
        ("setup", "first", "--output", str(deployment.folder / "kit"), *config),
        ("disconnect", "second", "--yes", *config),
    ]
    streamed: list[str] = []
    for error, called in ((None, commands), (7000215, commands[1:2]), (65001, commands[6:7])):
        if error is not None:
            deployment.tenant.faults.login_error(error)
        for command in called:
            code, program = await run(deployment.folder, *command)
            streamed += [" ".join(command[:2]), *program.out, *program.err]
            assert code in (0, 1, 3), streamed
    everything = "\n".join(streamed)
    assert given_away(deployment, asserted, everything) == []
    assert "Traceback" not in everything
    assert "AADSTS7000215" in everything
    record = (deployment.folder / "state" / "journal.db").read_bytes().decode(errors="replace")
    assert "consentfirst" in record
    assert given_away(deployment, asserted, record) == []


def assertions(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The client assertions that the login host is sent from now on."""
    login, sent = deployment.simulator._login, set[str]()
    answer = login.answer

    async def spying(request: Request) -> Reply:
        sent.update(parse_qs(request.body.decode()).get("client_assertion", ()))
        return await answer(request)

    monkeypatch.setattr(login, "answer", spying)
    return sent


async def stream(url: str, streamed: list[str]) -> None:
    """Keeps the event stream, until it ends."""
    async with Web(url, TOKEN) as web, web.follow() as following:
        streamed.extend([line async for line in following.lines()])


async def a_busy_day(deployment: Deployment, panel: Subscriber) -> None:
    """Meetings come, move, clash and go, and the services fail in many ways."""
    tenant, faults, now = deployment.tenant, deployment.tenant.faults, deployment.clock.now()
    state = "placed/rooms/boardroom/state"

    async def event_arrives(event: str) -> None:
        await panel.until(lambda a: a.topic.endswith("/event") and a.document["event"] == event)

    first = tenant.book("boardroom", now - HOUR, now + HOUR, subject=SUBJECTS[0], organizer=PEOPLE[0])
    tenant.book("library", now - HOUR, now + HOUR, subject=SUBJECTS[1], organizer=PEOPLE[1])
    await event_arrives("started")
    tenant.book("boardroom", now, now + HOUR, subject=SUBJECTS[1], organizer=PEOPLE[1], sensitivity="private")
    await event_arrives("conflict")
    tenant.move(first, now - HOUR, now + 2 * HOUR)
    await event_arrives("moved")
    tenant.cancel(first)
    await event_arrives("cancelled")
    for fault in FAULTS:
        faults.add(fault)
        if fault.where is Where.LOGIN:
            for app in tenant.apps.values():
                tenant.expire_tokens(app)
        await deployment.simulator.asked(2)
        faults.clear()
    tenant.book("boardroom", now + 5 * HOUR, now + 6 * HOUR, subject=SUBJECTS[0], organizer=PEOPLE[0])
    await panel.until(lambda a: a.topic == state and a.document["next"], after=len(panel.arrivals))
