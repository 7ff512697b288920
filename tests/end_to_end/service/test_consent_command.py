"""`placed consent`, as a process of its own: the request, the waiting, and what goes for all of it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from yarl import URL

from placed.cli.consent_connection import length
from placed_microsoft365.simulator import fence_toml
from tests.end_to_end.service.consent_helpers import configured, record
from tests.end_to_end.service.terminal import at_a_terminal
from tests.support.placed_process import run

if TYPE_CHECKING:
    from tests.support.deployment import Deployment


# --- the request --------------------------------------------------------------------------------------------


async def test_a_request_is_written_twice_printed_and_kept(deployment: Deployment) -> None:
    configured(deployment)
    letters = deployment.folder / "letters"
    nasty = "<script>alert(1)</script>\x1b[31m\nBcc: x"
    code, program = await run(
        deployment.folder,
        *("consent", "--request", "-c", deployment.file, "--output", letters, "--days", "60"),
        *("--who", f"Grace {nasty}", "--because", f"Panels {nasty}"),
    )
    assert (code, program.err) == (0, [])
    text = (letters / "consent-request-contoso.txt").read_text()
    page = (letters / "consent-request-contoso.html").read_text()
    assert text in "\n".join(program.out)
    assert "Grace <script>alert(1)</script> [31m Bcc: x" in text
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert "\x1b" not in text + page + "\n".join(program.out)
    link = re.search(r"^  (https://\S+/v2\.0/adminconsent\?\S+)$", text, re.MULTILINE)
    assert link is not None
    assert URL(link[1], encoded=True).query["redirect_uri"] == "http://localhost"
    kept = record(deployment)
    assert (kept["state"], kept["source"]) == ("requested", "request")
    lasts = datetime.fromisoformat(kept["until"]) - datetime.fromisoformat(kept["since"])
    assert lasts == timedelta(days=60)
    assert kept["who"].startswith("Grace ")
    assert not deployment.simulator.requests


async def test_a_request_needs_a_reason_and_a_sensible_end(deployment: Deployment) -> None:
    configured(deployment)
    code, program = await run(deployment.folder, "consent", "--request", "-c", deployment.file)
    assert code == 2
    assert program.err == ["placed: --because is missing: the administrator needs to know it"]
    code, _ = await run(
        deployment.folder, "consent", "--request", "--because", "x", "--days", "61", "-c", deployment.file
    )
    assert code == 2
    blocked = deployment.folder / "a-file"
    blocked.touch()
    code, program = await run(
        deployment.folder,
        "consent",
        "--request",
        "--because",
        "x",
        "--output",
        blocked,
        "-c",
        deployment.file,
    )
    assert (code, len(program.err)) == (2, 1)
    assert f"--output {blocked}" in program.err[0]
    assert not record(deployment)


async def test_at_a_terminal_the_command_asks_for_missing_values(deployment: Deployment) -> None:
    configured(deployment)
    output = await at_a_terminal(
        deployment,
        *("consent", "--output", str(deployment.folder), "-c", str(deployment.file)),
        answers=[
            ("Which way", "nonsense"),
            ("Which way", "request"),
            ("Who requests it", "Grace"),
            ("Why", "panels"),
        ],
    )
    assert "Which way [link]" in output
    text = (deployment.folder / "consent-request-contoso.txt").read_text()
    assert re.search(r"Who asks: +Grace\n", text)
    assert re.search(r"Why: +panels\n", text)
    assert record(deployment)["who"] == "Grace"


# --- waiting ------------------------------------------------------------------------------------------------


async def test_waiting_ends_when_the_grant_is_in_effect_and_keeps_that(deployment: Deployment) -> None:
    configured(deployment, roles=("Calendars.Read",))
    code, program = await run(deployment.folder, "consent", "--wait", "-c", deployment.file)
    assert (code, program.err) == (0, [])
    text = "\n".join(program.out)
    assert "may take more than an hour" in text
    assert "contoso: the grant is in effect, after " in text
    assert (record(deployment)["state"], record(deployment)["source"]) == ("granted", "observed")
    code, program = await run(deployment.folder, "consent", "--status", "-c", deployment.file)
    assert code == 0
    (line,) = program.out
    assert re.fullmatch(
        r"contoso: granted since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(from the service's answers\)", line
    )


async def test_waiting_shows_its_progress_and_ends_at_the_time_limit(deployment: Deployment) -> None:
    configured(deployment)
    code, program = await run(
        deployment.folder, "consent", "--wait", "--timeout", "1s", "-c", deployment.file
    )
    assert code == 1
    # On a busy machine a check takes seconds.
    not_yet = r"\d+ s: not yet: the token does not list Calendars\.Read yet; next check in [01] s"
    assert any(re.fullmatch(not_yet, line) for line in program.out)
    (line,) = program.err
    after = r"placed: connections\.contoso: not in effect after [1-9]\d* s: the token does not list"
    assert re.match(after, line)
    assert 1 <= deployment.logins <= 2
    assert not record(deployment)


async def test_waiting_ends_at_once_if_only_the_configuration_can_fix_it(deployment: Deployment) -> None:
    deployment.tenant.expire_secrets(configured(deployment))
    code, program = await run(deployment.folder, "consent", "--wait", "-c", deployment.file)
    assert code == 3
    (line,) = program.err
    assert line.startswith("placed: connections.contoso: sign-in refused: AADSTS7000222: ")
    assert deployment.logins == 1
    (deployment.folder / "contoso.secret").unlink()
    code, program = await run(deployment.folder, "consent", "--wait", "-c", deployment.file)
    assert code == 3
    (line,) = program.err
    assert line.startswith(f"placed: {deployment.file}: connections[0].client_secret_file: ")


async def test_under_rbac_it_explains_why_it_checks_rarely(deployment: Deployment) -> None:
    configured(deployment, more=fence_toml("rbac", []))
    code, program = await run(
        deployment.folder, "consent", "--wait", "--timeout", "0.5s", "-c", deployment.file
    )
    assert code == 1
    text = "\n".join(program.out)
    assert "30 minutes to 2 hours" in text
    assert "If the daemon runs meanwhile, stop it" in text
    assert "Checking every 31 min, giving up after" in text


async def test_at_a_terminal_it_shows_how_far_it_is(deployment: Deployment) -> None:
    configured(deployment)
    output = await at_a_terminal(
        deployment, "consent", "--wait", "--timeout", "1s", "-c", str(deployment.file), code=1
    )
    for wanted in (
        "waiting for ",
        "last check, after 0 s",
        "not yet: the token",
        "next check in ",
    ):
        assert wanted in output


# --- all of them --------------------------------------------------------------------------------------------


async def test_without_a_terminal_a_way_has_to_be_named(deployment: Deployment) -> None:
    configured(deployment)
    code, program = await run(deployment.folder, "consent", "-c", deployment.file)
    assert code == 2
    assert program.err == ["placed: this is not a terminal, so choose one of: --link, --request or --wait"]
    code, program = await run(deployment.folder, "consent", "--link", "--wait", "-c", deployment.file)
    assert code == 2
    assert program.err == ["placed: one of --link, --request, --wait and --status at a time"]
    code, program = await run(
        deployment.folder, "consent", "--wait", "--timeout", "soon", "-c", deployment.file
    )
    assert code == 2
    assert program.err == ["placed: --timeout soon: expected a duration such as 30s, 15m or 2h"]


async def test_of_several_connections_one_is_named(deployment: Deployment) -> None:
    configured(deployment)
    configured(deployment, name="fabrikam", roles=("Calendars.Read",))
    code, program = await run(deployment.folder, "consent", "fabrikam", "--wait", "-c", deployment.file)
    assert (code, program.err) == (0, [])
    assert record(deployment, "fabrikam")["state"] == "granted"
    code, _ = await run(deployment.folder, "consent", "--wait", "-c", deployment.file)
    assert code == 2
    code, program = await run(deployment.folder, "consent", "contoso", "--status", "-c", deployment.file)
    assert program.out == ["contoso: nothing is known of consent yet"]


async def test_an_unwritable_state_directory_is_reported_and_does_not_stop_the_command(
    deployment: Deployment,
) -> None:
    configured(deployment, roles=("Calendars.Read",))
    blocked = deployment.folder / "a-file"
    blocked.touch()
    code, program = await run(
        deployment.folder, "consent", "--wait", "--state-directory", blocked, "-c", deployment.file
    )
    assert code == 0
    (line,) = program.err
    assert line.startswith(f"placed: {blocked}/journal.db: cannot be written")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (5, "5 s"),
        (59.6, "1 min"),
        (1860, "31 min"),
        (1865, "31 min 5 s"),
        (5400, "1 h 30 min"),
        (90_061, "1 day 1 h"),
        (172_800, "2 days"),
        (-3, "0 s"),
    ],
)
def test_a_length_of_time_is_read_at_a_glance(seconds: float, text: str) -> None:
    assert length(seconds) == text
