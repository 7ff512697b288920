"""What is in the kit's folder, beside the scripts."""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from placed.driver import KitError
from placed_google.settings import GoogleSettings
from placed_google.setup_kit import answers_of, questions, write_kit
from placed_google.setup_kit.service_account import LONGEST_CONNECTION, ServiceAccount
from tests.drivers.google.setup_kit.sample_kits import (
    ACCOUNT,
    BOARDROOM,
    DIRECTORY,
    GIVEN,
    NOW,
    PROJECT,
    ROOMS,
    VARIANTS,
    texts,
    write,
)
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from typing import Any

CLIENT_ID = "104857600000000000001"


def content(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Bytes, mode and time of every file."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


def problems(error: KitError) -> list[tuple[str, str]]:
    return [(problem.key, problem.at("").line) for problem in error.problems]


def make_key(path: Path, account: str = ACCOUNT) -> None:
    """A key, as create-project.sh makes it."""
    private = generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    found = {
        "type": "service_account",
        "client_email": account,
        "client_id": CLIENT_ID,
        "private_key": pem,
        "private_key_id": "12ab",
        "project_id": PROJECT,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    write_secret(path, json.dumps(found))


# --- the folder ---------------------------------------------------------------------------------------------


def test_the_kit_lists_every_file_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path / "kit")
    before = content(tmp_path / "kit")
    assert {file.path.name for file in first.files} == before.keys()
    assert write(tmp_path / "kit") == first
    assert content(tmp_path / "kit") == before
    assert (tmp_path / "kit").stat().st_mode & 0o777 == 0o700
    runnable = {name for name, (_, mode, _) in before.items() if mode & 0o111}
    assert runnable == {name for name in before if name.endswith(".sh")}


def test_with_delegation_nothing_is_shared(tmp_path: Path) -> None:
    kit = write(tmp_path, VARIANTS["delegation"])
    assert not any("share" in file.path.name for file in kit.files)
    readme = (tmp_path / "README.md").read_text()
    assert "cannot be limited to rooms" in readme.replace("\n", " ")
    assert "https://www.googleapis.com/auth/calendar.events.readonly" in readme
    assert "there is none" in (tmp_path / "fence.md").read_text().splitlines()[0]


def test_the_kit_s_table_is_a_valid_connection(tmp_path: Path) -> None:
    for variant, answers in VARIANTS.items():
        folder = tmp_path / variant
        write(folder, answers, fence__canaries_exist="yes")
        (table,) = tomllib.loads((folder / "placed.toml").read_text("utf-8"))["connections"]
        made = GoogleSettings(**table)
        assert made.fence.canaries == ("ada@fabrikam.example", "grace@fabrikam.example")
        assert made.fence.canaries_exist
        assert made.key_file == folder / "fabrikam.json"
        written = {key: answer for key, answer in answers_of(made).items() if key in answers}
        assert written == {key: answer for key, answer in answers.items() if key != "share_with"}


def test_when_the_key_is_there_the_pages_have_the_account_s_number(tmp_path: Path) -> None:
    write(tmp_path, VARIANTS["delegation"])
    assert CLIENT_ID not in (tmp_path / "README.md").read_text()
    make_key(tmp_path / "fabrikam.json")
    key = (tmp_path / "fabrikam.json").read_bytes()
    write(tmp_path, VARIANTS["delegation"])
    assert f"`{CLIENT_ID}`" in (tmp_path / "README.md").read_text()
    assert f"`{CLIENT_ID}`" in (tmp_path / "fence.md").read_text()
    assert (tmp_path / "fabrikam.json").read_bytes() == key


def test_the_key_of_another_account_is_left_alone(tmp_path: Path) -> None:
    make_key(tmp_path / "fabrikam.json", f"other@{PROJECT}.iam.gserviceaccount.com")
    with pytest.raises(KitError, match=r"is the key of other@.*; it is left alone"):
        write(tmp_path)
    assert content(tmp_path).keys() == {"fabrikam.json"}
    (tmp_path / "fabrikam.json").write_text("no key of ours")
    with pytest.raises(KitError, match="is no key file: expected JSON; it is left alone, move it away"):
        write(tmp_path)


def test_renewing_names_the_steps_and_the_table_keeps_the_key_in_use(tmp_path: Path) -> None:
    make_key(tmp_path / "fabrikam.json")
    make_key(tmp_path / "fabrikam-2027-11-29.json")
    kit = write(tmp_path, renew=True)
    assert kit.next_steps[0].startswith("run renew-key.sh")
    assert tomllib.loads((tmp_path / "placed.toml").read_text())["connections"][0]["key_file"] == str(
        tmp_path / "fabrikam.json"
    )
    (tmp_path / "fabrikam.json").unlink()
    write(tmp_path)
    assert tomllib.loads((tmp_path / "placed.toml").read_text())["connections"][0]["key_file"] == str(
        tmp_path / "fabrikam-2027-11-29.json"
    )


# --- the pages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pages_name_only_files_of_the_kit(variant: str) -> None:
    files = texts(variant)
    for page in ("README.md", "fence.md"):
        named = set(re.findall(r"`(?:\./)?([\w-]+\.(?:sh|gs|md|toml|json))\b", files[page]))
        assert named <= files.keys() | {"fabrikam.json", "Code.gs"}
    assert "@@" not in "".join(files.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_readme_names_who_runs_each_step_and_how_to_take_it_back(variant: str) -> None:
    readme = texts(variant)["README.md"]
    rows = re.findall(r"^\| (\d) \|", readme, re.MULTILINE)
    steps = re.findall(r"^\*\*(\d)\. ", readme, re.MULTILINE)
    assert rows == steps == [str(n) for n in range(1, len(steps) + 1)]
    for heading in ("## On the server", "## Renewing the key", "## Where keys are forbidden", "## Undo"):
        assert heading in readme
    assert ("Buildings and resources" in readme) == ("customer" in VARIANTS[variant])
    assert ACCOUNT in readme
    for scope in re.findall(r"https://www\.googleapis\.com/auth/\S+?(?=[`,\n])", readme):
        assert scope.endswith((".readonly", ".freebusy"))  # none of which writes


def test_the_readme_explains_that_the_account_is_an_outsider(tmp_path: Path) -> None:
    write(tmp_path)
    readme = (tmp_path / "README.md").read_text().replace("\n", " ")
    assert "counts as somebody outside of the organisation" in readme
    assert "External sharing options" in readme


def test_fence_md_names_the_canaries_and_that_the_trial_shows_in_logs(tmp_path: Path) -> None:
    write(tmp_path)
    page = (tmp_path / "fence.md").read_text().replace("\n", " ")
    assert "- ada@fabrikam.example" in page
    assert "appears in the audit log" in page
    assert "`unauthorized_client`" in page


# --- the answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"project": "X"}, ["project"]),
        ({"project": ""}, ["project"]),
        ({"project": "", "account": ACCOUNT}, []),
        ({"account": "somebody@fabrikam.example"}, ["account"]),
        ({"rooms": "boardroom"}, ["rooms"]),
        ({"rooms": ""}, ["rooms"]),
        ({"rooms": BOARDROOM, "customer": "C01abc234"}, ["rooms"]),
        ({"customer": "fabrikam"}, ["customer"]),
        ({"customer": "my_customer"}, ["customer"]),
        ({"customer": "my_customer", "subject": "rooms@fabrikam.example"}, []),
        ({"room_query": "capacity>4"}, ["room_query"]),
        ({"subject": "$(id)@fabrikam.example"}, ["subject"]),
        ({"share_with": "x y@fabrikam.example"}, ["share_with"]),
        ({"fence.canaries": ""}, ["fence.canaries"]),
        ({"fence.canaries": BOARDROOM.upper()}, ["fence.canaries"]),
        ({"fence.canaries_exist": "perhaps"}, ["fence.canaries_exist"]),
        ({"time_zone": "Berlin"}, ["time_zone"]),
    ],
)
def test_invalid_answers_are_reported_by_their_keys(
    answers: dict[str, str], found: list[str], tmp_path: Path
) -> None:
    given = (GIVEN if {"rooms", "customer"} & answers.keys() else GIVEN | ROOMS) | answers
    if not found:
        write_kit("fabrikam", given, tmp_path / "kit", now=NOW, renew=False)
        return
    with pytest.raises(KitError) as error:
        write_kit("fabrikam", given, tmp_path / "kit", now=NOW, renew=False)
    assert [key for key, _ in problems(error.value)] == found
    assert not (tmp_path / "kit").exists()


def test_a_canary_s_address_is_in_no_problem(tmp_path: Path) -> None:
    with pytest.raises(KitError) as error:
        write(tmp_path, fence__canaries="ada@fabrikam.example,grace smith@fabrikam")
    assert problems(error.value) == [
        (
            "fence.canaries",
            "number 2 of them: expected an address such as c_188…@resource.calendar.google.com",
        )
    ]


def test_a_name_that_is_too_long_for_google_is_refused(tmp_path: Path) -> None:
    longest = "x" * LONGEST_CONNECTION
    write_kit(longest, GIVEN | ROOMS, tmp_path / "a", now=NOW, renew=False)
    with pytest.raises(KitError, match="expected at most 23"):
        write_kit(f"{longest}x", GIVEN | ROOMS, tmp_path / "b", now=NOW, renew=False)


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,22}", fullmatch=True))
def test_every_connection_has_an_account_that_google_allows(connection: str) -> None:
    account = ServiceAccount.for_connection(connection, PROJECT)
    assert ServiceAccount.parse(account.address) == account


def test_every_answer_has_a_question_with_the_key_of_the_table() -> None:
    keys = {question.key for question in questions()}
    assert len(keys) == len(questions())
    own = {"account", "project", "share_with"}  # of the kit alone
    for key in keys - own:
        model: Any = GoogleSettings
        for step in key.split("."):
            assert step in model.model_fields
            model = model.model_fields[step].annotation
    assert {key for question in questions() for key in question.instead} <= keys


@given(
    st.text("abc'\"`$\\!&|;<>(){}[]*?~%=^#/\u2018\u2019\u2028 ", max_size=30),
    st.sampled_from([ROOMS, DIRECTORY]),
)
@settings(max_examples=50)
def test_no_answer_can_add_a_line_to_a_script(text: str, source: dict[str, str]) -> None:
    """What is written is either refused, or a literal: that scripts parse is tried with them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "kit"
        try:
            write(folder, {**source, "room_query": text} if source is DIRECTORY else source, share_with=text)
        except KitError:
            assert not folder.exists()
            return
        plain = {path.name: len(path.read_text("utf-8").splitlines()) for path in folder.glob("*.gs")}
        assert plain == {"share-rooms.gs": len(texts("rooms")["share-rooms.gs"].splitlines())}
