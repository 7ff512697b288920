"""The kit for the service account that writes: what it makes, what it explains, and what it leaves alone."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from placed.driver import ActionsSetup, KitError
from placed_google import Google
from placed_google.auth.key_file import load_key
from placed_google.settings import GoogleSettings
from placed_google.setup_kit import actions_answers_of, write_actions_kit
from placed_google.setup_kit.service_account import LONGEST_WITH_ACTIONS, ServiceAccount
from tests.drivers.google.setup_kit.apps_script import Workspace
from tests.drivers.google.setup_kit.gcloud_scripts import Gcloud, new_private_key
from tests.drivers.google.setup_kit.sample_kits import (
    ACCOUNT,
    BOARDROOM,
    GIVEN,
    LIBRARY,
    NOW,
    PROJECT,
    ROOMS,
    VARIANTS,
    WRITER,
    texts,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path


def page(variant: str = "rooms") -> str:
    """README.md without the ends of lines, at which paragraphs are wrapped."""
    return " ".join(texts(variant, actions=True)["README.md"].split())


@pytest.fixture
def gcloud(tmp_path: Path) -> Gcloud:
    return Gcloud(tmp_path, new_private_key())


def test_the_setup_offers_it() -> None:
    assert isinstance(Google.setup(), ActionsSetup)


def test_it_lists_every_file_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path, actions=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {file.path.name for file in first.files} == before.keys()
    assert write(tmp_path, actions=True) == first
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_both_accounts_are_made_in_one_project_and_undo_leaves_the_one_that_reads(
    tmp_path: Path, gcloud: Gcloud
) -> None:
    write(tmp_path / "reads")
    write(tmp_path / "acts", actions=True)
    for kit in ("reads", "acts"):
        ran = gcloud.run(tmp_path / kit / "create-project.sh")
        assert ran.returncode == 0, ran.stderr
    assert [account["email"] for account in gcloud.state["accounts"]] == [ACCOUNT, WRITER]
    assert load_key(tmp_path / "acts" / "fabrikam-actions.json").email == WRITER
    assert gcloud.state["projects"][0]["services"] == ["calendar-json.googleapis.com", "iam.googleapis.com"]
    undo = tmp_path / "acts" / "undo-project.sh"
    refused = gcloud.run(undo, "--delete-project")
    assert refused.returncode == 1
    assert "the account that reads" in refused.stderr
    assert gcloud.run(undo).returncode == 0
    assert [account["email"] for account in gcloud.state["accounts"]] == [ACCOUNT]
    assert gcloud.state["projects"][0]["lifecycleState"] == "ACTIVE"


def test_the_directory_s_service_is_not_enabled_for_it(tmp_path: Path, gcloud: Gcloud) -> None:
    write(tmp_path / "kit", VARIANTS["directory"], actions=True)
    assert gcloud.run(tmp_path / "kit" / "create-project.sh").returncode == 0
    assert "admin.googleapis.com" not in gcloud.state["projects"][0]["services"]


def test_sharing_makes_it_a_writer_and_leaves_the_account_that_reads_a_reader() -> None:
    reads, acts = f"user:{ACCOUNT}", f"user:{WRITER}"
    workspace = Workspace(calendars={BOARDROOM: {reads: "reader"}, LIBRARY: {reads: "reader"}})
    workspace.run("rehearseShare", actions=True)
    assert workspace.changes == []
    workspace.run("shareRooms", actions=True)
    assert workspace.raised is None
    assert workspace.calendars == {
        BOARDROOM: {reads: "reader", acts: "writer"},
        LIBRARY: {reads: "reader", acts: "writer"},
    }
    workspace.run("unshareRooms", actions=True)
    assert workspace.calendars == {BOARDROOM: {reads: "reader"}, LIBRARY: {reads: "reader"}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_shared_with_also_where_the_account_that_reads_acts_for_a_user(variant: str) -> None:
    files = texts(variant, actions=True)
    assert "share-rooms.gs" in files
    assert "const ROLE = 'writer'; // \"Make changes to events\"" in files["share-rooms.gs"]
    assert "fence-delegation" not in "".join(files)
    named = set(re.findall(r"`(?:\./)?([\w-]+\.(?:sh|gs|md|toml|json))\b", files["README.md"]))
    assert named <= files.keys() | {"fabrikam-actions.json", "Code.gs"}
    assert "@@" not in "".join(files.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_its_table_belongs_below_the_connection_and_allows_nothing_yet(variant: str) -> None:
    tables = texts(variant)["placed.toml"] + texts(variant, actions=True)["placed.toml"]
    (table,) = tomllib.loads(tables)["connections"]
    actions = GoogleSettings(**table).actions
    assert actions is not None
    assert actions.key_file.name == "fabrikam-actions.json"
    assert (actions.allow, actions.end) == (frozenset(), "decline")


def test_its_page_states_what_is_written_and_who_hears_of_it() -> None:
    text = page()
    for fact in (
        "https://www.googleapis.com/auth/calendar.events`",
        "no request that changes anything leaves the program",
        "It never changes a whole series",
        "A check-in writes nothing",
        "outsiders can change calendars",
        "`placed setup fabrikam --actions` again",
        "placed doctor fabrikam",
    ):
        assert fact in text, fact
    assert "Nothing here lets placed write" not in text
    assert "workload_identity" not in text  # the account of actions has a key
    rows = re.findall(r"^\| (\d) \|", texts("rooms", actions=True)["README.md"], re.MULTILINE)
    assert rows == ["1", "2"]
    assert f"`{WRITER}`" in text


def test_its_answers_are_those_of_the_connection_and_never_the_account_that_reads(
    tmp_path: Path, gcloud: Gcloud
) -> None:
    write(tmp_path / "reads")
    gcloud.run(tmp_path / "reads" / "create-project.sh")
    (table,) = tomllib.loads((tmp_path / "reads" / "placed.toml").read_text())["connections"]
    answers = actions_answers_of(GoogleSettings(**table))
    assert answers["project"] == PROJECT
    assert "account" not in answers
    folder = tmp_path / "acts"
    write_actions_kit("fabrikam", answers, folder, now=NOW, renew=False)
    gcloud.run(folder / "create-project.sh")
    (actions,) = tomllib.loads((folder / "placed.toml").read_text())["connections"].values()
    assert actions_answers_of(GoogleSettings(**table, actions=actions))["account"] == WRITER


def test_a_name_that_is_too_long_for_google_is_refused(tmp_path: Path) -> None:
    longest = "x" * LONGEST_WITH_ACTIONS
    write_actions_kit(longest, GIVEN | ROOMS, tmp_path / "a", now=NOW, renew=False)
    account = ServiceAccount.for_connection(longest, PROJECT, actions=True)
    assert ServiceAccount.parse(account.address) == account
    with pytest.raises(KitError, match="expected at most 15"):
        write_actions_kit(f"{longest}x", GIVEN | ROOMS, tmp_path / "b", now=NOW, renew=False)
