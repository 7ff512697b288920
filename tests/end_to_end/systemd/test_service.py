"""What the administrator of a building server may rely on, tried with a real systemd."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.systemd.host_mosquitto import mosquitto, retained
from tests.end_to_end.systemd.tenant_and_broker import BROKER_PASSWORD, CLIENT_SECRET, ORGANIZER, ROOMS
from tests.support import read_large_calendar

if TYPE_CHECKING:
    from tests.end_to_end.systemd.systemd_service import Service
    from tests.end_to_end.systemd.tenant_and_broker import Building

pytestmark = [pytest.mark.box, pytest.mark.timeout(900)]

CANNOT_START = "3"
BOOT = 20.0  # seconds


def test_a_started_service_has_published_every_room(
    broker: int, service: Service, building: Building
) -> None:
    building.furnish(service)
    service.start()
    held = retained(broker)
    assert service.show()["ActiveState"] == "active"
    states = {room: json.loads(held[f"placed/rooms/{room}/state"])["status"] for room in ROOMS}
    assert states == {"boardroom": "busy", "library": "free"}


def test_a_boot_ends_while_broker_and_calendar_service_are_away_and_the_line_follows(
    service: Service, building: Building, tmp_path: Path
) -> None:
    """As at a boot: the target wants the service, and is only reached once its start is over."""
    building.furnish(service)
    away = building.configuration(building.by_secret, login=True)
    service.write("/etc/placed/placed.toml", away.replace(building.simulator.url, "https://localhost:1"))
    service.box.run("systemctl", "enable", "placed")
    try:
        service.box.run("systemctl", "stop", "multi-user.target")
        begun = time.monotonic()
        service.box.run("systemctl", "start", "multi-user.target")
        assert time.monotonic() - begun < BOOT
        assert service.box.run("systemctl", "is-active", "multi-user.target").strip() == "active"
        waiting = service.wait_for(lambda unit: "waiting for the broker" in unit["StatusText"])
        assert waiting["ActiveState"] == "active"
        assert "contoso failing" in waiting["StatusText"]
        with mosquitto(tmp_path, building.broker_port):
            service.wait_for(lambda unit: "waiting for the broker" not in unit["StatusText"])
            service.write("/etc/placed/placed.toml", away)
            service.box.run("systemctl", "reload", "placed")
            all_well = "2 rooms in 1 connection(s); fence contoso unproven"
            well = service.wait_for(lambda unit: unit["StatusText"] == all_well)
            assert well["MainPID"] == waiting["MainPID"]
        service.wait_for(lambda unit: "broker away since" in unit["StatusText"])
    finally:
        service.box.run("systemctl", "disable", "placed")


@pytest.mark.usefixtures("broker")
def test_a_reload_that_does_not_work_is_refused_and_everything_goes_on(
    service: Service, building: Building
) -> None:
    building.furnish(service)
    service.start()
    before = service.show()["MainPID"]
    service.write("/etc/placed/placed.d/wrong.toml", '[mqtt]\nurl = "mqtt://127.0.0.1:1"\n')
    service.box.run("systemctl", "reload", "placed")
    after = service.wait_for(lambda unit: "reload at" in unit["StatusText"])
    assert "mqtt.url: 127.0.0.1:1" in after["StatusText"]
    after = service.wait_for(lambda unit: unit["ActiveState"] == "active")
    assert (after["MainPID"], after["NRestarts"]) == (before, "0")


def test_a_fresh_install_needs_no_folder_of_secrets(
    broker: int, service: Service, building: Building
) -> None:
    building.furnish(service)
    service.box.run("rm", "-r", "/etc/placed/secrets")
    service.write("/etc/placed/placed.toml", building.configuration(building.by_certificate, login=False))
    service.write("/root/contoso.pem", building.certificate, mode=0o600)
    service.override("LoadCredential=contoso.pem:/root/contoso.pem")
    service.start()
    assert f"placed/rooms/{ROOMS[0]}/state" in retained(broker)


def test_secrets_may_be_encrypted_for_this_machine(broker: int, service: Service, building: Building) -> None:
    building.furnish(service)
    ready = service.box.try_run("systemd-creds", "setup")
    if ready.returncode != 0:
        pytest.skip(f"no key of the machine's own: {ready.stderr.strip()}")
    service.box.run("install", "-d", "-m", "700", "/etc/placed/encrypted")
    for name in ("client-secret", "mqtt"):
        plain, encrypted = f"/etc/placed/secrets/{name}", f"/etc/placed/encrypted/{name}"
        service.box.run(
            "systemd-creds", "encrypt", "--with-key=host", f"--name=encrypted_{name}", plain, encrypted
        )
    service.box.run("rm", "-r", "/etc/placed/secrets")
    written = building.configuration(building.by_secret, login=True)
    service.write("/etc/placed/placed.toml", written.replace("/secrets_", "/encrypted_"))
    service.start()
    assert f"placed/rooms/{ROOMS[0]}/state" in retained(broker)


def test_a_secret_that_everybody_can_read_is_refused_once(service: Service, building: Building) -> None:
    building.furnish(service)
    service.write("/etc/placed/client-secret", CLIENT_SECRET, mode=0o644)
    written = building.configuration(building.by_secret, login=True)
    open_one = written.replace("$CREDENTIALS_DIRECTORY/secrets_client-secret", "/etc/placed/client-secret")
    service.write("/etc/placed/placed.toml", open_one)
    assert service.box.try_run("systemctl", "start", "placed").returncode != 0
    assert service.show()["ExecMainStatus"] == CANNOT_START
    (reported,) = (line for line in service.journal() if "chmod o-rwx /etc/placed/client-secret" in line)
    assert CLIENT_SECRET not in reported


@pytest.mark.usefixtures("broker")
def test_the_journal_holds_json_and_neither_secrets_nor_people(service: Service, building: Building) -> None:
    building.furnish(service)
    service.start()
    service.box.run("systemctl", "stop", "placed")
    lines = service.journal()
    assert lines
    assert [line for line in lines if not line.startswith("{")] == []
    assert all(json.loads(line)["event"] for line in lines)
    text = "\n".join(lines)
    token_start = "eyJ"  # of every JSON web token
    assert not [word for word in (CLIENT_SECRET, BROKER_PASSWORD, ORGANIZER, token_start) if word in text]


def test_a_stopped_service_is_gone_within_seconds_and_leaves_offline_behind(
    broker: int, service: Service, building: Building
) -> None:
    building.furnish(service)
    service.start()
    begun = time.monotonic()
    service.box.run("systemctl", "stop", "placed")
    assert time.monotonic() - begun < 5
    stopped = service.show()
    assert (stopped["ActiveState"], stopped["Result"]) == ("inactive", "success")
    assert "offline" in retained(broker)["placed/bridge/state"]


def test_a_configuration_that_is_refused_is_tried_once_only(service: Service) -> None:
    service.write("/etc/placed/placed.toml", '[[connections]]\ndriver = "microsoft365"\nnonsense = true\n')
    failing = service.box.try_run("systemctl", "start", "placed")
    assert failing.returncode != 0
    failed = service.show()
    assert (failed["ActiveState"], failed["ExecMainStatus"], failed["NRestarts"]) == (
        "failed",
        CANNOT_START,
        "0",
    )
    (reported,) = (
        json.loads(line) for line in service.journal() if "could_not_start" in line and "nonsense" in line
    )
    assert reported["level"] == "error"
    assert failed["StatusText"].startswith("failed: /etc/placed/placed.toml")


def test_a_reload_reads_the_configuration_again_in_the_same_process(
    broker: int, service: Service, building: Building
) -> None:
    building.furnish(service)
    service.start()
    before = service.show()["MainPID"]
    renamed = '[rooms."boardroom@contoso.example"]\nname = "Great Hall"\n'
    service.write("/etc/placed/placed.d/names.toml", renamed)
    service.box.run("systemctl", "reload", "placed")
    service.wait_for(lambda _: "Great Hall" in retained(broker)["placed/rooms/boardroom/state"])
    after = service.wait_for(lambda unit: unit["ActiveState"] == "active")
    assert after["MainPID"] == before


@pytest.mark.usefixtures("broker")
def test_a_crashed_service_reports_the_crash_and_publishes_its_rooms_again(
    service: Service, building: Building
) -> None:
    service.override("RestartSec=0")
    building.furnish(service)
    service.start()
    service.box.run("systemctl", "kill", "--kill-whom=main", "--signal=ABRT", "placed")
    service.wait_for(lambda unit: unit["NRestarts"] == "1" and unit["ActiveState"] == "active")
    assert any("most recent call first" in line for line in service.journal())


@pytest.mark.usefixtures("broker")
def test_a_service_that_hangs_is_ended_by_the_watchdog(service: Service, building: Building) -> None:
    service.override("WatchdogSec=2\nTimeoutStopSec=1\nRestart=no")
    building.furnish(service)
    service.start()
    service.box.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "placed")
    service.wait_for(lambda unit: unit["Result"] == "watchdog" and unit["ActiveState"] == "failed")


@pytest.mark.usefixtures("broker")
def test_the_daemon_has_no_power_over_its_machine(service: Service, building: Building) -> None:
    building.furnish(service)
    service.start()
    process = service.show()["MainPID"]
    status = dict(
        line.split(":\t", 1) for line in service.box.run("cat", f"/proc/{process}/status").splitlines()
    )
    assert status["Uid"].split()[0] != "0"
    assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "0" * 16)
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_large_calendars_are_read_in_a_process_of_their_own_under_the_limits_of_the_unit(
    service: Service,
) -> None:
    program = Path(read_large_calendar.__file__).read_bytes()
    service.write("/usr/lib/placed-test/read_large_calendar.py", program)
    service.override(
        "Type=oneshot\nRestart=no\nWatchdogSec=0\n"
        "ExecStart=\nExecStart=/usr/lib/placed/bin/python -I /usr/lib/placed-test/read_large_calendar.py"
    )
    service.start()
    assert service.show()["Result"] == "success"


def test_systemd_itself_finds_the_service_little_exposed(service: Service) -> None:
    tenths = 11  # of ten; what is left is the network that it lives on
    service.box.run("systemd-analyze", "security", f"--threshold={tenths}", "placed.service")


def test_the_unit_holds_nothing_that_this_systemd_does_not_know(service: Service) -> None:
    verified = service.box.try_run("systemd-analyze", "verify", "placed.service")
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
