"""`placed consent --link`, as a process of its own, with an administrator's browser beside it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from yarl import URL

from placed_microsoft365.simulator import ConsentAnswer, fence_toml
from tests.end_to_end.service.consent_helpers import Browser, asking, configured, record
from tests.support.free_ports import free_port
from tests.support.placed_process import run

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

OTHER_TENANT = "99999999-aaaa-bbbb-cccc-dddddddddddd"


@pytest.fixture
def browser(deployment: Deployment) -> Browser:
    return Browser(deployment)


async def test_a_grant_is_reported_stored_and_in_effect(deployment: Deployment, browser: Browser) -> None:
    configured(deployment)
    async with asking(deployment, "--who", "Grace") as (program, link):
        status, page = await browser.follow(link)
        assert (status, "Consent was given" in page) == (200, True)
        assert await program.ends() == 0
    assert not program.err
    port = URL(link.query["redirect_uri"]).port
    assert link.query["redirect_uri"] == f"http://localhost:{port}"
    text = "\n".join(program.out)
    for wanted in (
        "  Calendars.Read: reads calendars",
        "    It cannot write, book, move or cancel anything",
        f"ssh -L {port}:localhost:{port}",
        "placed consent contoso --request",
        "contoso: consent was given, and the token lists it",
        "placed consent contoso --wait",
    ):
        assert wanted in text
    kept = record(deployment)
    assert (kept["state"], kept["source"], kept["who"]) == ("granted", "link", "Grace")
    assert "until" not in kept


async def test_a_grant_not_yet_in_effect_is_reported_as_pending(
    deployment: Deployment, browser: Browser
) -> None:
    app = configured(deployment)
    app.requested = set()  # the registration asks for nothing, so that nothing is granted
    async with asking(deployment) as (program, link):
        _, page = await browser.follow(link)
        assert "It takes some time until it is in effect" in page
        assert await program.ends() == 0
    text = "\n".join(program.out)
    assert "not in effect yet: the token does not list Calendars.Read" in text
    assert "placed consent contoso --wait" in text
    assert record(deployment)["state"] == "granted"


async def test_a_decline_is_reported_and_stored(deployment: Deployment, browser: Browser) -> None:
    configured(deployment)
    deployment.tenant.consent_answer = ConsentAnswer.DECLINED
    async with asking(deployment) as (program, link):
        _, page = await browser.follow(link)
        assert "Consent was declined" in page
        assert await program.ends() == 1
    (line,) = program.err
    assert line.startswith("placed: connections.contoso: the administrator declined (AADSTS65004): ")
    assert (record(deployment)["state"], record(deployment)["source"]) == ("declined", "link")


async def test_a_forged_answer_changes_nothing_and_the_right_one_is_still_awaited(
    deployment: Deployment, browser: Browser
) -> None:
    app = configured(deployment)
    deployment.tenant.consent_answer = ConsentAnswer.WRONG_STATE
    async with asking(deployment) as (program, link):
        for _ in range(3):
            status, page = await browser.follow(link)
            assert (status, "This answer was refused" in page) == (400, True)
        await program.wait_for_line("wrong state")
        assert not record(deployment)
        assert program.process.returncode is None
        deployment.tenant.revoke(app, "Calendars.Read")
        deployment.tenant.consent_answer = ConsentAnswer.GRANTED
        status, _ = await browser.follow(link)
        assert status == 200
        assert await program.ends() == 0
    assert program.err == [
        "placed: an answer with a wrong state was refused; still waiting for the right one"
    ]
    assert record(deployment)["state"] == "granted"


async def test_consent_in_another_tenant_is_refused(deployment: Deployment, browser: Browser) -> None:
    configured(deployment)
    async with asking(deployment) as (program, link):
        back = await browser.back(link)
        status, page = await browser.show(back.update_query(tenant=OTHER_TENANT))
        assert (status, "This answer was not accepted" in page) == (400, True)
        assert await program.ends() == 1
    (line,) = program.err
    assert f"consent was given in another tenant ({OTHER_TENANT}), and so does not count" in line
    assert not record(deployment)


async def test_waiting_for_an_administrator_has_a_time_limit(deployment: Deployment) -> None:
    configured(deployment)
    code, program = await run(
        deployment.folder, "consent", "--link", "--timeout", "0.2s", "-c", deployment.file
    )
    assert code == 1
    (line,) = program.err
    assert "no answer arrived in time" in line
    assert "placed consent contoso --wait" in line
    assert not record(deployment)


async def test_a_port_can_be_chosen_and_is_not_shared(deployment: Deployment, browser: Browser) -> None:
    configured(deployment)
    port = free_port()
    async with asking(deployment, "--port", str(port)) as (program, link), asking(deployment) as (_, another):
        assert URL(link.query["redirect_uri"]).port == port
        assert len(link.query["state"]) >= 43  # 32 random bytes
        assert another.query["state"] != link.query["state"]
        code, second = await run(
            deployment.folder, "consent", "--link", "--port", str(port), "-c", deployment.file
        )
        assert code == 3
        (line,) = second.err
        assert line.startswith(f"placed: port {port} of localhost cannot be listened on: ")
        await browser.follow(link)
        assert await program.ends() == 0


async def test_a_credential_that_is_refused_ends_it_for_good(
    deployment: Deployment, browser: Browser
) -> None:
    deployment.tenant.expire_secrets(configured(deployment))
    async with asking(deployment) as (program, link):
        status, page = await browser.follow(link)
        assert (status, "could not be checked" in page) == (502, True)
        assert await program.ends() == 3
    (line,) = program.err
    assert line.startswith("placed: connections.contoso: sign-in refused: AADSTS7000222: ")
    assert not record(deployment)


async def test_the_link_is_opened_in_a_browser_if_that_is_wanted(deployment: Deployment) -> None:
    configured(deployment)
    opener, script = deployment.folder / "browser", deployment.folder / "browser.py"
    # Not with Python in its first line, where no path may have a space.
    opener.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    script.write_text(
        "import ssl, sys, urllib.request\n"
        f"trusting = ssl.create_default_context(cafile={str(deployment.simulator.ca_file)!r})\n"
        "urllib.request.urlopen(sys.argv[1], context=trusting).read()\n"
    )
    opener.chmod(0o755)
    code, program = await run(
        deployment.folder,
        *("consent", "--link", "--open", "-c", deployment.file),
        environment={"BROWSER": f"{opener} %s"},
    )
    assert (code, program.err) == (0, [])
    assert record(deployment)["state"] == "granted"


async def test_under_rbac_with_a_list_of_rooms_there_is_nothing_to_consent_to(deployment: Deployment) -> None:
    configured(deployment, more=fence_toml("rbac", []))
    for way in ("--link", "--request"):
        code, program = await run(deployment.folder, "consent", way, "-c", deployment.file)
        assert (code, program.err) == (0, [])
        text = "\n".join(program.out)
        assert "no consent page is needed" in text
        assert "`placed setup`" in text
    assert not record(deployment)
    assert not deployment.simulator.requests


async def test_no_secret_and_no_token_is_put_out(deployment: Deployment, browser: Browser) -> None:
    configured(deployment)
    async with asking(deployment, "--who", "Grace") as (program, link):
        _, page = await browser.follow(link)
        assert await program.ends() == 0
    _, waited = await run(deployment.folder, "consent", "--wait", "-c", deployment.file)
    output = "\n".join([page, *program.out, *program.err, *waited.out, *waited.err])
    for wrong in ("s3cret~of~contoso", "eyJ", "Grace", "boardroom@", "library@"):
        assert wrong not in output
