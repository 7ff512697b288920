"""The scripts for the Google Cloud CLI, run for real against a little cloud."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import tree_sitter
import tree_sitter_bash

from placed_google.auth.key_file import load_key
from tests.drivers.google.setup_kit.gcloud_scripts import Gcloud, new_private_key
from tests.drivers.google.setup_kit.sample_kits import ACCOUNT, DIRECTORY, PROJECT, VARIANTS, texts, write
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@pytest.fixture(scope="session")
def private_key() -> str:
    return new_private_key()


@pytest.fixture
def gcloud(tmp_path: Path, private_key: str) -> Gcloud:
    """A cloud without any project."""
    return Gcloud(tmp_path, private_key)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """The folder of a kit with named rooms."""
    write(tmp_path / "kit")
    return tmp_path / "kit"


def mistakes(text: str) -> Iterable[str]:
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language())).parse(text.encode())
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if node.type == "ERROR" or node.is_missing:
            yield f"{node.start_point}: {node.text!r}"


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_script_for_bash_is_bash(variant: str) -> None:
    written = {name: text for name, text in texts(variant).items() if name.endswith(".sh")}
    shares = [] if "delegation" in variant else ["share-rooms-gam.sh"]
    assert sorted(written) == sorted(["create-project.sh", "renew-key.sh", "undo-project.sh", *shares])
    for text in written.values():
        assert list(mistakes(text)) == []
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_shellcheck_finds_nothing_in_the_scripts(variant: str, tmp_path: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    write(tmp_path, VARIANTS[variant])
    ran = subprocess.run(
        [shellcheck, *tmp_path.glob("*.sh")],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ran.stdout == ""
    assert ran.returncode == 0


def test_create_project_makes_what_is_missing_and_a_second_run_changes_nothing(
    kit: Path, gcloud: Gcloud
) -> None:
    gcloud.become(slow=2)
    ran = gcloud.run(kit / "create-project.sh")
    assert ran.returncode == 0, ran.stderr
    (project,) = gcloud.state["projects"]
    assert project["projectId"] == PROJECT
    assert project["services"] == ["calendar-json.googleapis.com", "iam.googleapis.com"]
    (account,) = gcloud.state["accounts"]
    assert account["email"] == ACCOUNT
    assert ACCOUNT in ran.stdout
    assert account["oauth2ClientId"] in ran.stdout
    assert "PRIVATE" not in ran.stdout + ran.stderr
    file = kit / "fabrikam.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_key(file).key_id in gcloud.keys
    assert sorted(path.name for path in kit.glob(".*")) == []

    before, content = gcloud.changes, file.read_bytes()
    again = gcloud.run(kit / "create-project.sh")
    assert again.returncode == 0, again.stderr
    assert gcloud.changes == before
    assert file.read_bytes() == content
    assert account["oauth2ClientId"] in again.stdout


def test_no_role_is_ever_granted_to_the_service_account(kit: Path, gcloud: Gcloud) -> None:
    gcloud.run(kit / "create-project.sh")
    words = {word for call in gcloud.state["calls"] for word in call if "/" not in word}
    assert not any("policy" in word or "role" in word for word in words)


def test_the_directory_s_service_is_enabled_only_where_the_rooms_come_from_it(
    tmp_path: Path, gcloud: Gcloud
) -> None:
    write(tmp_path / "kit", DIRECTORY)
    gcloud.run(tmp_path / "kit" / "create-project.sh")
    assert "admin.googleapis.com" in gcloud.state["projects"][0]["services"]


def test_create_project_goes_on_in_a_project_that_exists(kit: Path, gcloud: Gcloud) -> None:
    services = ["iam.googleapis.com", "storage.googleapis.com"]
    gcloud.become(projects=[{"projectId": PROJECT, "lifecycleState": "ACTIVE", "services": services}])
    ran = gcloud.run(kit / "create-project.sh")
    assert ran.returncode == 0, ran.stderr
    assert not any(call[:2] == ["projects", "create"] for call in gcloud.changes)
    assert gcloud.state["projects"][0]["services"] == ["calendar-json.googleapis.com", *services]


@pytest.mark.parametrize("exists", [False, True], ids=["nothing is there", "the project is there"])
def test_with_what_if_nothing_is_changed(exists: bool, kit: Path, gcloud: Gcloud) -> None:  # noqa: FBT001
    if exists:
        gcloud.become(projects=[{"projectId": PROJECT, "lifecycleState": "ACTIVE", "services": []}])
    ran = gcloud.run(kit / "create-project.sh", "--what-if")
    assert ran.returncode == 0, ran.stderr
    assert "would run: gcloud" in ran.stderr
    assert gcloud.changes == []
    assert not (kit / "fabrikam.json").exists()


@pytest.mark.parametrize(
    ("difference", "output"),
    [
        ({"signed_in": False}, "gcloud is not signed in; run: gcloud auth login"),
        ({"taken": [PROJECT]}, "if it is taken, run placed setup with another --set project=ID"),
        (
            {"projects": [{"projectId": PROJECT, "lifecycleState": "DELETE_REQUESTED", "services": []}]},
            f"is being deleted; run: gcloud projects undelete {PROJECT}",
        ),
        ({"keys_forbidden": True}, 'README.md, "Where keys are forbidden"'),
    ],
)
def test_create_project_ends_in_a_line_with_the_remedy(
    difference: dict[str, Any], output: str, kit: Path, gcloud: Gcloud
) -> None:
    gcloud.become(**difference)
    ran = gcloud.run(kit / "create-project.sh")
    assert ran.returncode == 1
    assert output in ran.stderr.splitlines()[-1]
    assert [path.name for path in kit.iterdir() if path.name.startswith((".", "fabrikam"))] == []
    assert "## Where keys are forbidden" in (kit / "README.md").read_text()


def test_where_keys_were_forbidden_a_later_run_makes_one(kit: Path, gcloud: Gcloud) -> None:
    gcloud.become(keys_forbidden=True)
    assert gcloud.run(kit / "create-project.sh").returncode == 1
    gcloud.become(keys_forbidden=False)
    assert gcloud.run(kit / "create-project.sh").returncode == 0
    assert len(gcloud.keys) == 1


@pytest.mark.parametrize("content", ['{"private_key_id": "0123"}', "no key at all"])
def test_a_file_that_holds_no_key_of_the_account_is_left_alone(
    content: str, kit: Path, gcloud: Gcloud
) -> None:
    (kit / "fabrikam.json").write_text(content)
    ran = gcloud.run(kit / "create-project.sh")
    assert ran.returncode == 1
    assert "it is left alone, move it away" in ran.stderr
    assert (kit / "fabrikam.json").read_text() == content
    assert gcloud.keys == []


def test_a_disabled_account_is_reported_with_the_command_that_enables_it(kit: Path, gcloud: Gcloud) -> None:
    gcloud.run(kit / "create-project.sh")
    gcloud.become(accounts=[gcloud.state["accounts"][0] | {"disabled": "True"}])
    ran = gcloud.run(kit / "create-project.sh")
    assert ran.returncode == 1
    assert f"gcloud iam service-accounts enable {ACCOUNT}" in ran.stderr


def test_renewing_adds_a_key_and_retiring_removes_the_old_one(kit: Path, gcloud: Gcloud) -> None:
    gcloud.run(kit / "create-project.sh")
    (old,) = gcloud.keys
    refused = gcloud.run(kit / "renew-key.sh", "--retire", str(kit / "fabrikam.json"))
    assert refused.returncode == 1
    assert "that is the only key there is" in refused.stderr

    ran = gcloud.run(kit / "renew-key.sh")
    assert ran.returncode == 0, ran.stderr
    (renewed,) = kit.glob("fabrikam-*.json")
    assert renewed.stat().st_mode & 0o777 == 0o600
    assert gcloud.keys == [old, load_key(renewed).key_id]
    again = gcloud.run(kit / "renew-key.sh")  # on the same day
    assert again.returncode == 1
    assert "is there already, and stays as it is" in again.stderr
    assert len(gcloud.keys) == 2

    tried = gcloud.run(kit / "renew-key.sh", "--what-if", "--retire", str(kit / "fabrikam.json"))
    assert "would run: gcloud iam service-accounts keys delete" in tried.stderr
    assert len(gcloud.keys) == 2
    for _ in range(2):
        ran = gcloud.run(kit / "renew-key.sh", "--retire", str(kit / "fabrikam.json"))
        assert ran.returncode == 0, ran.stderr
        assert gcloud.keys == [load_key(renewed).key_id]


def test_undo_deletes_the_account_and_only_if_it_is_asked_to_the_project(kit: Path, gcloud: Gcloud) -> None:
    gcloud.run(kit / "create-project.sh")
    before = gcloud.changes
    tried = gcloud.run(kit / "undo-project.sh", "--what-if", "--delete-project")
    assert tried.returncode == 0, tried.stderr
    assert gcloud.changes == before
    for _ in range(2):
        ran = gcloud.run(kit / "undo-project.sh")
        assert ran.returncode == 0, ran.stderr
        assert gcloud.state["accounts"] == []
        assert gcloud.state["projects"][0]["lifecycleState"] == "ACTIVE"
    for _ in range(2):
        ran = gcloud.run(kit / "undo-project.sh", "--delete-project")
        assert ran.returncode == 0, ran.stderr
        assert gcloud.state["projects"][0]["lifecycleState"] == "DELETE_REQUESTED"


@pytest.mark.parametrize("script", ["create-project.sh", "renew-key.sh", "undo-project.sh"])
def test_every_script_has_a_help_text_and_refuses_unknown_options(
    script: str, kit: Path, gcloud: Gcloud
) -> None:
    helped = gcloud.run(kit / script, "--help").stdout
    assert "--what-if" in helped
    assert "set -euo" not in helped
    ran = gcloud.run(kit / script, "--nonsense")
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"{script}: unknown option --nonsense")
    assert gcloud.state["calls"] == []
