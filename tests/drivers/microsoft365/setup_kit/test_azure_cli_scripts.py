"""The scripts for the Azure CLI, run for real against a little Entra."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tree_sitter
import tree_sitter_bash

from placed_microsoft365.auth.application_permissions import APP_ROLES
from placed_microsoft365.setup_kit import key_and_certificate
from tests.drivers.microsoft365.setup_kit.sample_kits import CLIENT_ID, COMBINATIONS, NOW, scripts, write
from tests.support.command_of_a_cloud import CommandOfACloud

if TYPE_CHECKING:
    from collections.abc import Iterable

TENANT_ID = "5d0c1c0e-6e0a-4b43-9a1c-2f3d4e5f6a7b"
CHANGING = ("post", "patch", "update", "reset", "delete", "create")


class Az(CommandOfACloud):
    """The little Entra, and its `az` on a PATH."""

    def __init__(self, folder: Path, **differences: Any) -> None:
        state = {
            "graph": "https://graph.microsoft.com",
            "tenant": TENANT_ID,
            "domains": ["contoso.com", "contoso.onmicrosoft.com"],
            "signed_in": True,
            "identifiers": "hex",
            "apps": [],
            "principals": [],
            "calls": [],
        }
        super().__init__(
            folder,
            Path(__file__).with_name("fake_azure_cli.py"),
            name="az",
            variable="AZ_STATE",
            state=state | differences,
            changing=CHANGING,
        )

    @property
    def app(self) -> Any:
        """The only registration there is."""
        (app,) = self.state["apps"]
        return app


def mistakes(text: str) -> Iterable[str]:
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language())).parse(text.encode())
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if node.type == "ERROR" or node.is_missing:
            yield f"{node.start_point}: {node.text!r}"


@pytest.mark.parametrize(("kind", "source", "cloud"), COMBINATIONS)
def test_every_script_for_bash_is_bash(kind: str, source: str, cloud: str) -> None:
    written = {name: text for name, text in scripts(kind, source, cloud).items() if name.endswith(".sh")}
    assert sorted(written) == ["register.sh", "retire-certificate.sh"]
    for text in written.values():
        assert list(mistakes(text)) == []
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_the_parser_sees_a_mistake() -> None:
    assert list(mistakes("if true; then echo"))


@pytest.mark.parametrize("identifiers", ["hex", "base64"])
def test_register_makes_what_is_missing_and_a_second_run_changes_nothing(
    identifiers: str, tmp_path: Path
) -> None:
    write(tmp_path, fence__kind="access-policy", room_group="placed-rooms@contoso.com")
    az = Az(tmp_path, identifiers=identifiers, slow=2)
    ran = az.run(tmp_path / "register.sh")
    assert ran.returncode == 0, ran.stderr
    app = az.app
    assert (app["displayName"], app["signInAudience"]) == ("placed-contoso", "AzureADMyOrg")
    assert app["web"]["redirectUris"] == ["http://localhost"]
    assert app["requiredResourceAccess"] == [
        {
            "resourceAppId": "00000003-0000-0000-c000-000000000000",
            "resourceAccess": [
                {"id": APP_ROLES[name].id, "type": "Role"}
                for name in ("Calendars.Read", "GroupMember.Read.All")
            ],
        }
    ]
    assert len(app["keyCredentials"]) == 1
    assert f'client_id = "{app["appId"]}"' in ran.stdout
    assert az.state["principals"] == [{"appId": app["appId"], "id": "sp-0"}]
    assert "sp-0" in ran.stdout

    before, changes = az.app, az.changes
    again = az.run(tmp_path / "register.sh")
    assert again.returncode == 0, again.stderr
    assert az.changes == changes
    assert az.app == before
    assert f'client_id = "{app["appId"]}"' in again.stdout


def test_register_with_dry_run_prints_its_steps_and_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    az = Az(tmp_path)
    for option in ("--what-if", "-n"):
        ran = az.run(tmp_path / "register.sh", option)
        assert ran.returncode == 0, ran.stderr
        assert "would run: az rest --method post" in ran.stderr
        assert "contoso.crt" in ran.stdout
    assert az.changes == []
    assert az.state["apps"] == []


def test_register_with_what_if_changes_nothing_of_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, fence__kind="access-policy")
    app = {"appId": CLIENT_ID, "displayName": "placed-contoso", "web": {"redirectUris": []}}
    az = Az(tmp_path, apps=[{**app, "requiredResourceAccess": [], "keyCredentials": []}])
    ran = az.run(tmp_path / "register.sh", "-n")
    assert ran.returncode == 0, ran.stderr
    assert [line.split(" --")[0] for line in ran.stderr.splitlines()] == [
        "would run: az ad app update",
        "would run: az rest",
        "would run: az ad app credential reset",
        "would run: az ad sp create",
    ]
    assert az.changes == []


def test_register_keeps_what_others_have_put_there(tmp_path: Path) -> None:
    write(tmp_path)
    others = [{"customKeyIdentifier": "AB" * 20, "keyId": "key-of-others"}]
    app = {
        "appId": CLIENT_ID,
        "displayName": "rooms",
        "web": {"redirectUris": ["https://contoso.com/back"]},
        "requiredResourceAccess": [],
        "keyCredentials": others,
    }
    az = Az(tmp_path, apps=[app])
    assert az.run(tmp_path / "register.sh", "--client-id", CLIENT_ID).returncode == 0
    assert az.app["web"]["redirectUris"] == ["https://contoso.com/back", "http://localhost"]
    assert az.app["keyCredentials"][0] == others[0]
    assert len(az.app["keyCredentials"]) == 2


def test_register_removes_permissions_that_are_no_longer_needed(tmp_path: Path) -> None:
    write(tmp_path, fence__kind="access-policy")
    az = Az(tmp_path)
    az.run(tmp_path / "register.sh")
    assert az.app["requiredResourceAccess"]
    write(tmp_path, fence__kind="rbac")
    ran = az.run(tmp_path / "register.sh")
    assert ran.returncode == 0, ran.stderr
    assert az.app["requiredResourceAccess"] == []
    assert len(az.app["keyCredentials"]) == 1


def test_renewing_adds_a_certificate_and_retiring_takes_the_old_one(tmp_path: Path) -> None:
    write(tmp_path)
    az = Az(tmp_path)
    az.run(tmp_path / "register.sh")
    (old,) = az.app["keyCredentials"]

    write(tmp_path, renew=True, now=NOW + timedelta(days=340))
    refused = az.run(tmp_path / "retire-certificate.sh")
    assert refused.returncode == 1
    assert "the new certificate is not registered" in refused.stderr
    az.run(tmp_path / "register.sh")
    first, second = az.app["keyCredentials"]
    assert first == old
    thumbprints = [one.thumbprint for one in key_and_certificate.found("contoso", tmp_path)]
    assert [key["customKeyIdentifier"] for key in (first, second)] == thumbprints

    tried = az.run(tmp_path / "retire-certificate.sh", "--what-if")
    assert "would remove the certificate contoso.crt" in tried.stdout
    assert len(az.app["keyCredentials"]) == 2
    for _ in range(2):
        ran = az.run(tmp_path / "retire-certificate.sh")
        assert ran.returncode == 0, ran.stderr
        assert az.app["keyCredentials"] == [second]


@pytest.mark.parametrize(
    ("difference", "output"),
    [
        ({"signed_in": False}, "az is not signed in; run: az login"),
        ({"tenant": "f" * 8, "domains": ["fabrikam.com"]}, "az is signed in to another tenant"),
        ({"graph": "https://graph.microsoft.us"}, "run: az cloud set --name AzureCloud; then az login"),
        (
            {"apps": [{"appId": n, "displayName": "placed-contoso"} for n in "ab"]},
            "there are several registrations called placed-contoso; choose one with --client-id",
        ),
    ],
)
def test_register_stops_in_a_line_before_it_changes_anything(
    difference: dict[str, Any], output: str, tmp_path: Path
) -> None:
    write(tmp_path)
    az = Az(tmp_path, **difference)
    ran = az.run(tmp_path / "register.sh")
    assert ran.returncode == 1
    assert output in ran.stderr.splitlines()[-1]
    assert az.changes == []


@pytest.mark.parametrize("cloud", ["usgov", "usgov-dod", "china"])
def test_register_works_only_in_the_cloud_of_the_tenant(cloud: str, tmp_path: Path) -> None:
    write(tmp_path, cloud=cloud)
    az = Az(tmp_path)
    assert "az cloud set" in az.run(tmp_path / "register.sh").stderr
    assert az.changes == []


def test_register_has_a_help_text_and_refuses_unknown_options(tmp_path: Path) -> None:
    write(tmp_path)
    az = Az(tmp_path)
    assert "--what-if" in az.run(tmp_path / "register.sh", "--help").stdout
    for wrong in (["--nonsense"], ["--client-id"], ["--client-id", "x' or 'a"]):
        ran = az.run(tmp_path / "register.sh", *wrong)
        assert ran.returncode == 1
        assert ran.stderr.startswith("register.sh: ")
    assert az.state["calls"] == []
