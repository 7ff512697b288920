"""`placed doctor` with a real tenant, broker and daemon: each link is broken once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.consent_record import ConsentRecord, Source
from placed.driver import Consent, Verdict
from placed_microsoft365.simulator import actions_toml, make_client_certificate
from tests.end_to_end.service.healthy_site import (
    AFTER_TOKEN,
    BAD,
    DOUBTFUL,
    EVERYTHING,
    GOOD,
    PASSWORD,
    HealthySite,
    broken,
    edit_client_id,
    finding,
    waiting,
)
from tests.support.deployment import ROLES
from tests.support.mosquitto import Authority, Mosquitto
from tests.support.placed_process import run
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from placed_microsoft365.simulator import App


async def test_an_expired_certificate_is_the_next_step(site: HealthySite) -> None:
    began = site.deployment.clock.now() - timedelta(days=400)
    expired = make_client_certificate(key_size=2048, valid_from=began, lifetime=timedelta(days=365))
    (site.deployment.folder / "contoso.pem").write_bytes(expired)
    chart = await site.examine()
    assert list(broken(chart)) == ["certificate"]
    assert "placed setup contoso --renew" in broken(chart)["certificate"]
    assert waiting(chart) == dict.fromkeys(["token", *AFTER_TOKEN], "certificate")
    assert site.deployment.logins == 0


async def test_world_readable_secrets_are_reported_and_not_used(site: HealthySite) -> None:
    password, certificate = site.deployment.folder / "password", site.deployment.folder / "contoso.pem"
    for path in (password, certificate):
        path.chmod(0o644)
    chart = await site.examine()
    reported = [(f.check, f.remedy) for _, f in chart.findings if f.verdict is BAD and not f.blocked_by]
    assert reported[:2] == [("files", f"chmod 600 {password}"), ("files", f"chmod 600 {certificate}")]
    assert [check for check, _ in reported[2:]] == ["broker"]
    assert reported[2][1].startswith(f"chmod o-rwx {password}")
    assert {by for check, by in waiting(chart).items() if check in ("certificate", *AFTER_TOKEN)} == {"files"}
    assert site.deployment.logins == 0


async def test_a_sign_in_that_is_refused_is_tried_once(site: HealthySite) -> None:
    edit_client_id(site)
    chart = await site.examine()
    assert list(broken(chart)) == ["token"]
    assert "client_id is not known in this tenant" in broken(chart)["token"]
    assert waiting(chart) == dict.fromkeys(AFTER_TOKEN, "token")
    assert site.deployment.logins == 1
    assert site.deployment.batches == []


async def test_services_with_a_certificate_of_another_ca_are_reported(site: HealthySite) -> None:
    stranger = Authority(site.deployment.folder / "stranger").ca_file
    text = site.deployment.file.read_text()
    site.deployment.file.write_text(text.replace(str(site.deployment.simulator.ca_file), str(stranger)))
    chart = await site.examine()
    assert broken(chart) == {"tls": "set ca_file to the CA that signed it, or correct the address"}
    assert waiting(chart) == dict.fromkeys(["clock", "token", *AFTER_TOKEN], "tls")


async def test_unreachable_services_are_reported(site: HealthySite) -> None:
    async with site.deployment.outage():
        chart = await site.examine()
    assert list(broken(chart)) == ["tls"]
    assert waiting(chart) == dict.fromkeys(["clock", "token", *AFTER_TOKEN], "tls")


async def test_a_wrong_clock_is_reported(site: HealthySite) -> None:
    assert broken(await site.examine(ahead=600)) == {
        "clock": "set this machine's clock: timedatectl set-ntp true"
    }
    slightly = await site.examine(ahead=90)
    assert slightly.holds
    assert finding(slightly, "clock").verdict is DOUBTFUL


async def test_without_consent_the_next_step_is_to_get_it(site: HealthySite) -> None:
    site.tenant.revoke(site.app, *ROLES)
    chart = await site.examine()
    assert list(broken(chart)) == ["claims"]
    assert "placed consent contoso" in broken(chart)["claims"]
    behind = ["consent", "readable", "canaries", "titles", "private"]
    assert waiting(chart) == dict.fromkeys(behind, "claims")


async def test_the_doctor_waits_for_a_requested_consent(site: HealthySite) -> None:
    site.tenant.revoke(site.app, *ROLES)
    now = site.deployment.clock.now()
    record = ConsentRecord(
        Consent.REQUESTED, now, now + timedelta(days=30), Source.REQUEST, "Grace Quillfeather"
    )
    site.note(record)
    chart = await site.examine()
    assert broken(chart)["consent"] == "wait for the administrator's answer: placed consent contoso --wait"
    assert "Quillfeather" not in str(chart)


async def test_without_the_permission_to_find_the_rooms_the_next_step_is_consent(site: HealthySite) -> None:
    site.connect("fabrikam", room_group="placed-rooms@contoso.example", roles=["Calendars.Read"])
    site.deployment.configure(**site.tables)
    chart = await site.examine(only="fabrikam")
    assert finding(chart, "claims").text == "not granted: GroupMember.Read.All"
    behind = ["consent", "rooms", "readable", "canaries", "titles", "private"]
    assert waiting(chart) == dict.fromkeys(behind, "claims")


async def test_a_group_without_rooms_is_reported(site: HealthySite) -> None:
    site.tenant.add_group("nobody")
    site.connect("fabrikam", room_group="nobody@contoso.example")
    site.deployment.configure(**site.tables)
    chart = await site.examine(only="fabrikam")
    assert list(broken(chart)) == ["rooms"]
    assert "put room mailboxes into the group" in broken(chart)["rooms"]
    behind = ["consent", "readable", "canaries", "titles", "private"]
    assert waiting(chart) == dict.fromkeys(behind, "rooms")


async def test_rooms_without_an_address_are_named(site: HealthySite) -> None:
    """The directory shows members by their ids alone, and their calendars are refused."""
    site.tenant.hides_users = True
    app = site.connect("fabrikam", room_group=site.group.address)
    nobody = site.tenant.add_group("nobody")
    site.tenant.restrict(app, nobody)
    site.deployment.configure(**site.tables)
    chart = await site.examine(only="fabrikam")
    first, second = [reported for _, reported in chart.findings if reported.check == "rooms"]
    assert (first.verdict, first.text) == (GOOD, "2 found")
    assert second.verdict is DOUBTFUL
    ids = sorted(room.user_id for room in site.tenant.rooms())
    assert second.text == f"2 of 2 rooms listed without an address: {', '.join(ids)}"
    assert '[rooms."<object id>"]' in second.remedy


async def test_a_table_that_fits_no_room_is_named(site: HealthySite) -> None:
    site.deployment.connections.append('\n[rooms."typo@contoso.example"]\nname = "Typo"\n')
    site.deployment.connections.append('[rooms."Library@contoso.example"]\nname = "Library"\n')
    site.deployment.configure(**site.tables)
    chart = await site.examine()
    reported = [reported for _, reported in chart.findings if reported.check == "rooms"]
    assert [one.text for one in reported] == [
        "2 found",
        '[rooms."typo@contoso.example"] fits no room of any connection',
    ]
    code, program = await run(site.deployment.folder, "check", "-c", site.deployment.file)
    assert code == 0
    (line,) = [line for line in program.out if "[rooms." in line]
    assert "typo@contoso.example" in line


async def test_rooms_that_are_all_outside_the_fence_are_reported(site: HealthySite) -> None:
    for room in ("boardroom", "library"):
        site.tenant.remove_member(site.group, room)
    chart = await site.examine()
    assert list(broken(chart)) == ["readable"]
    assert "is it in the fence's group" in broken(chart)["readable"]
    assert waiting(chart) == dict.fromkeys(["consent", "canaries", "titles", "private"], "readable")
    assert "proves nothing" in finding(chart, "canaries").text


async def test_rooms_that_are_all_unknown_are_reported(site: HealthySite) -> None:
    site.tenant.restrict(site.connect("fabrikam", rooms=["nowhere", "neverland"]), site.group)
    site.deployment.configure(**site.tables)
    chart = await site.examine(only="fabrikam")
    assert list(broken(chart)) == ["readable"]
    assert "0 of 2 rooms can be read; 2 not found" in finding(chart, "readable").text
    assert waiting(chart) == dict.fromkeys(["consent", "titles", "private"], "readable") | {
        "canaries": "readable"
    }


async def test_one_room_of_many_is_a_matter_to_look_at(site: HealthySite) -> None:
    site.tenant.remove_member(site.group, "library")
    chart = await site.examine()
    assert chart.holds
    reported = finding(chart, "readable")
    assert reported.verdict is DOUBTFUL
    assert reported.text.endswith(": library")
    assert reported.remedy.startswith("not in the fence's group, or not yet")


async def test_a_canary_that_can_be_read_breaks_the_chain(site: HealthySite) -> None:
    site.tenant.lift_restrictions(site.app)
    chart = await site.examine()
    assert list(broken(chart)) == ["canaries"]
    assert "fix the access policy" in broken(chart)["canaries"]
    assert "quillfeather" not in str(chart).lower()


async def test_a_readable_canary_is_reported_even_if_no_room_is_readable(site: HealthySite) -> None:
    site.connect("fabrikam", rooms=["nowhere"])
    site.deployment.configure(**site.tables)
    assert list(broken(await site.examine(only="fabrikam"))) == ["readable", "canaries"]


async def test_a_fence_without_a_canary_or_with_excess_is_a_matter_to_look_at(site: HealthySite) -> None:
    site.connect("fabrikam", more="", roles=[*ROLES, "Mail.Read"])
    site.deployment.configure(**site.tables)
    chart = await site.examine(only="fabrikam")
    assert chart.holds
    reported = [f for _, f in chart.findings if f.check == "canaries"]
    assert [f.verdict for f in reported] == [DOUBTFUL, DOUBTFUL]
    assert reported[0].remedy.startswith("set fence.canaries")
    assert "Mail.Read" in reported[1].text


async def test_the_topics_of_every_room_and_of_home_assistant_are_tried(site: HealthySite) -> None:
    """What the broker does not let the daemon write is found before the daemon runs."""
    await site.deployment.broker.kill()
    site.deployment.broker = Mosquitto(
        site.deployment.folder / "strict",
        users={"placed": PASSWORD},
        access=["user placed", "topic readwrite placed/#", "topic deny placed/rooms/library/state"],
    )
    await site.deployment.broker.start()
    site.deployment.configure(**site.tables, home_assistant={"discovery": True})
    chart = await site.examine()
    (publish,) = [f for _, f in chart.findings if f.check == "publish"]
    assert publish.verdict is BAD
    assert "placed/rooms/library/state" in publish.remedy
    assert "homeassistant/+/placed/+/config" in publish.remedy
    await site.deployment.broker.kill()


async def test_a_broker_that_refuses_the_login_is_reported_with_the_key(site: HealthySite) -> None:
    (site.deployment.folder / "password").write_text("hush-another")
    chart = await site.examine()
    assert list(broken(chart)) == ["broker"]
    assert finding(chart, "broker").text.startswith(f"{site.deployment.file}: mqtt.username: ")
    assert waiting(chart) == {"publish": "broker", "subscribe": "broker"}


async def test_a_port_used_by_another_program_is_reported(site: HealthySite) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        listen = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        site.deployment.configure(**site.tables, http={"listen": listen})
        chart = await site.examine()
    assert broken(chart) == {"http": "stop the program that has the port, or set another port"}
    assert finding(chart, "http").text == f"{site.deployment.file}: http.listen: {listen} is in use"


async def test_an_endpoint_that_others_can_reach_wants_a_token(site: HealthySite) -> None:
    site.deployment.configure(**site.tables, http={"listen": "0.0.0.0:0"})
    assert "http.token_file" in finding(await site.examine(), "http").remedy
    site.deployment.configure(**site.tables, http={"listen": "0.0.0.0:0", "allow_anonymous": True})
    chart = await site.examine()
    assert chart.holds
    assert finding(chart, "http").verdict is DOUBTFUL


@pytest.mark.parametrize(("show", "titles"), [("title", DOUBTFUL), ("organizer", GOOD)])
async def test_titles_that_are_deleted_matter_only_where_they_are_wanted(
    site: HealthySite, show: str, titles: Verdict
) -> None:
    now = site.tenant.now()
    site.tenant.book("boardroom", now, now + timedelta(hours=1), organizer="Grace Quillfeather")
    site.deployment.configure(**site.tables, privacy={"show": show})
    chart = await site.examine(details=True)
    assert chart.holds
    assert finding(chart, "titles").verdict is titles
    assert finding(chart, "private").verdict is DOUBTFUL


# --- actions ------------------------------------------------------------------------------------------------


@pytest.fixture
def acting(site: HealthySite) -> App:
    """The registration of actions of the connection contoso."""
    app = site.tenant.register_app(secrets=["wr1te"], roles=["Calendars.ReadWrite"], name="placed-actions")
    site.tenant.restrict(app, site.group)
    secret = site.deployment.folder / "actions.secret"
    write_secret(secret, "wr1te")
    table = actions_toml(app.client_id, allow=["end", "book"], client_secret_file=secret)
    site.deployment.connections[0] += table
    site.deployment.configure(**site.tables)
    return app


async def test_what_panels_may_do_is_checked_with_the_registration_that_writes(
    site: HealthySite, acting: App
) -> None:
    chart = await site.examine()
    checks = [f.check for _, f in chart.findings]
    assert checks[checks.index("private") + 1] == checks[checks.index("broker") - 1] == "actions"
    assert tuple(check for check in checks if check not in ("actions", "commands")) == EVERYTHING
    assert checks[checks.index("subscribe") + 1] == "commands"
    assert finding(chart, "actions").verdict is GOOD
    site.tenant.lift_restrictions(acting)
    chart = await site.examine()
    assert [*broken(chart)] == ["actions"]


async def test_the_registration_that_writes_is_checked_even_if_the_other_cannot_read(
    site: HealthySite, acting: App
) -> None:
    site.app.disabled = True
    chart = await site.examine()
    assert [*broken(chart)] == ["token"]
    assert finding(chart, "actions").verdict is DOUBTFUL  # no room is known, so its fence is not proven
    acting.disabled = True
    assert [*broken(await site.examine())] == ["token", "actions"]
