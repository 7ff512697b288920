"""The life of the Debian package on a building server, from its install to its purge, in this order."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.systemd.debian_package import LATER, install, later
from tests.end_to_end.systemd.host_mosquitto import retained
from tests.end_to_end.systemd.panel_watcher import watcher
from tests.end_to_end.systemd.systemd_service import Service
from tests.end_to_end.systemd.tenant_and_broker import ROOMS

if TYPE_CHECKING:
    from tests.end_to_end.systemd.debian_container import Box
    from tests.end_to_end.systemd.tenant_and_broker import Building

# A package is built, which takes minutes where other tests run beside.
pytestmark = [pytest.mark.box, pytest.mark.timeout(900)]

EXAMPLE = Path(__file__).parents[3] / "config" / "placed.toml"


def test_it_starts_nothing_unconfigured_upgrades_unseen_and_leaves_nothing_behind(
    empty_box: Box, package: Path, building: Building, broker: int, tmp_path: Path
) -> None:
    server = empty_box
    with Service(server) as service:
        output = install(server, package)
        assert "systemctl enable --now placed" in output
        assert service.show()["ActiveState"] == "inactive"
        assert server.try_run("systemctl", "is-enabled", "placed").stdout.strip() == "disabled"
        refused = server.try_run("placed", "check")
        assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)
        assert "connections" in refused.stderr
        version = server.run("placed", "--version")

        demonstrated = server.try_run("placed", "demo")
        assert (demonstrated.returncode, len(demonstrated.stderr.splitlines())) == (3, 1)
        assert "pip install 'placed[demo]'" in demonstrated.stderr

        building.furnish(service)
        checked = server.run("placed", "check")  # as root, who reads what the service will be given
        assert "placed.toml: good\n" in checked
        assert "not checked" not in checked
        service.write("/etc/default/placed", "NO_PROXY=localhost,.example\n")
        service.start()
        environment = server.run("cat", f"/proc/{service.show()['MainPID']}/environ")
        assert "NO_PROXY=localhost,.example" in environment
        server.run("systemctl", "enable", "placed")
        before = service.show()["MainPID"]
        with watcher(broker) as panel:
            panel.wait_for(lambda p: all(p.seen.get(room, [("", "")])[-1][1] is None for room in ROOMS))
            panel.seen.clear()
            epoch = json.loads(retained(broker)["placed/bridge/state"])["epoch"]
            install(server, later(package, tmp_path))
            service.wait_for(lambda unit: unit["ActiveState"] == "active" and unit["MainPID"] != before)
            panel.wait_for(lambda _: json.loads(retained(broker)["placed/bridge/state"])["epoch"] > epoch)
            assert panel.seen == {"boardroom": [("busy", None)], "library": [("free", None)]}
        assert server.run("placed", "--version") == f"placed {LATER}\n" != version
        assert json.loads(retained(broker)["placed/bridge/info"])["version"] == LATER
        assert "contoso" in (server.root / "etc/placed/placed.toml").read_text()  # what was changed is kept

        removed = server.run("dpkg", "--remove", "placed")
        assert "placed disconnect NAME" in removed
        assert json.loads(retained(broker)["placed/bridge/state"])["state"] == "offline"
        assert not (server.root / "usr/lib/placed").exists()
        assert (server.root / "etc/placed/secrets/mqtt").exists()
        assert (server.root / "var/lib/private/placed/journal.db").exists()

        assert "--remove-retained" in server.run("dpkg", "--purge", "placed")
        left = server.run(
            "find", "/etc", "/usr", "/var", "-name", "placed*", "-not", "-path", "/var/lib/dpkg/*"
        )
        assert left == ""


def test_an_upgrade_does_not_wait_for_a_broker_that_is_away(
    empty_box: Box, package: Path, building: Building, tmp_path: Path
) -> None:
    server = empty_box
    with Service(server) as service:
        install(server, package)
        building.furnish(service)
        server.run("systemctl", "start", "--no-block", "placed")
        before = service.wait_for(lambda unit: "broker" in unit["StatusText"])["MainPID"]
        assert "systemctl status placed" in install(server, later(package, tmp_path))
        restarted = service.wait_for(lambda unit: "broker" in unit["StatusText"])
        assert restarted["MainPID"] != before
        assert server.run("placed", "--version") == f"placed {LATER}\n"


def test_the_pages_that_it_brings_lead_to_each_other(package: Path, tmp_path: Path) -> None:
    pages = unpacked(package, tmp_path, "./usr/share/doc/placed")
    found = [
        (page, link.partition("#")[0])
        for page in pages.rglob("*.md")
        for link in re.findall(r"\]\(([^)#][^)]*)\)", page.read_text())
        if "://" not in link
    ]
    assert found
    assert [(page.name, link) for page, link in found if not (page.parent / link).exists()] == []


def test_the_configuration_that_it_brings_is_the_example_with_every_line_taken_back(
    package: Path, tmp_path: Path
) -> None:
    brought = (unpacked(package, tmp_path, "./etc/placed") / "placed.toml").read_text().splitlines()
    example = EXAMPLE.read_text().splitlines()
    assert [line for line in brought if line and not line.startswith("#")] == []
    assert [re.sub(r"^#(?=\S)", "", line) for line in brought][-len(example) :] == example


def unpacked(package: Path, folder: Path, what: str) -> Path:
    """A folder of the package, without the rest of it."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as reading:
        subprocess.run(["tar", "--extract", "--directory", folder, what], stdin=reading.stdout, check=True)
        reading.communicate()
    return folder / what
