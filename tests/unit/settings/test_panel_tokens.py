from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from placed.domain.action import Action
from placed.domain.exit_errors import CannotStart
from placed.settings.panel_tokens import PanelTokens, read_panel_tokens
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = sha256(b"right").hexdigest()
TABLE = f'[door]\ntoken_sha256 = "{DIGEST}"\nscopes = ["rooms/boardroom:book"]\n'
SCOPE_FAULT = (
    "[door]: scope 1 is invalid; expected rooms/<id>:<action>, of which the action is one of check-in, end, "
    "extend, book or *"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "panels.toml"


def read(path: Path, content: str | bytes, reading: bytes | None = None) -> PanelTokens:
    write_secret(path, content)
    return read_panel_tokens(path, reading)


def faults(path: Path, content: str | bytes, reading: bytes | None = None) -> list[str]:
    """The lines that the operator sees, without the path."""
    with pytest.raises(CannotStart) as refused:
        read(path, content, reading)
    assert all(problem.key == "http.panel_tokens" for problem in refused.value.problems)
    return [problem.line.removeprefix(f"http.panel_tokens: {path}: ") for problem in refused.value.problems]


def test_a_panel_is_found_by_its_token_alone(path: Path) -> None:
    tokens = read(path, TABLE)
    panel = tokens.panel_of("right")
    assert panel is not None
    assert panel.name == "door"
    for wrong in ("", "wrong", "right ", DIGEST, "r" * 10_000, "\udcff"):
        assert tokens.panel_of(wrong) is None
    assert DIGEST not in repr(tokens)


def test_a_file_of_an_editor_that_writes_a_byte_order_mark_is_read(path: Path) -> None:
    assert read(path, TABLE.encode("utf-8-sig")).panel_of("right") is not None


def test_a_number_that_is_too_long_is_a_fault_of_the_file(path: Path) -> None:
    assert faults(path, f"a = {'1' * 5000}") == ["is not TOML; expected a table for each panel"]


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("rooms/boardroom:book", {("boardroom", Action.BOOK)}),
        ("rooms/boardroom:*", {("boardroom", action) for action in Action}),
        ("rooms/*:end", {("boardroom", Action.END), ("atrium", Action.END)}),
        ("rooms/*:*", {(room, action) for room in ("boardroom", "atrium") for action in Action}),
    ],
)
def test_a_scope_allows_what_it_names(path: Path, scope: str, allowed: set[tuple[str, Action]]) -> None:
    panel = read(path, TABLE.replace("rooms/boardroom:book", scope)).panel_of("right")
    assert panel is not None
    rooms = "boardroom", "atrium"
    assert {(room, action) for room in rooms for action in Action if panel.may(room, action)} == allowed


def test_an_empty_file_has_no_panels(path: Path) -> None:
    assert read(path, "") == PanelTokens()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xff", "is not UTF-8 text; expected TOML"),
        ("[door", "is not TOML (at end of document); expected a table for each panel"),
        ("door = 1\n", "door: it is no table; expected a table [door]"),
        ('["a b"]\n', "a table's name is invalid; expected at most 64 of a-z A-Z 0-9 - _"),
        (
            TABLE + 'token = "right"\n',
            "[door]: it has a key that is not known; expected token_sha256 and scopes alone",
        ),
        (
            TABLE.replace(DIGEST, "right"),
            "[door]: token_sha256 is missing or invalid; expected 64 hexadecimal digits: sha256sum",
        ),
        (
            '[door]\nscopes = ["rooms/boardroom:book"]\n',
            "[door]: token_sha256 is missing or invalid; expected 64 hexadecimal digits: sha256sum",
        ),
        (
            TABLE.replace(DIGEST, sha256(b"").hexdigest()),
            "[door]: token_sha256 is the digest of an empty token; make a token first",
        ),
        (
            f'[door]\ntoken_sha256 = "{DIGEST}"\nscopes = []\n',
            '[door]: scopes is missing or invalid; expected a list such as ["rooms/boardroom:book"]',
        ),
        *(
            (
                TABLE.replace("rooms/boardroom:book", scope),
                SCOPE_FAULT,
            )
            for scope in (
                "boardroom:book",
                "rooms/boardroom:explode",
                "rooms/Board Room:book",
                "rooms/:book",
                "*",
            )
        ),
    ],
)
def test_every_fault_is_one_line_that_repeats_no_secret(path: Path, content: str | bytes, line: str) -> None:
    assert faults(path, content) == [line]


def test_all_faults_are_reported_at_once(path: Path) -> None:
    broken = TABLE.replace("rooms/boardroom:book", "x") + "\n[window]\nscopes = 1\n"
    assert len(faults(path, broken)) == 2


def test_panels_share_no_token_with_each_other_or_with_readers(path: Path) -> None:
    assert faults(path, TABLE + TABLE.replace("[door]", "[window]")) == [
        "[door] and [window] have the same token; give each panel a token of its own"
    ]
    assert faults(path, TABLE, b"right") == [
        "[door] has the token of http.token_file; readers share that one: make another"
    ]


def test_a_file_that_everybody_can_read_is_taken_since_it_holds_digests_alone(path: Path) -> None:
    path.write_text(TABLE)
    path.chmod(0o644)
    assert [panel.name for panel in read_panel_tokens(path, None).panels] == ["door"]


def test_a_file_that_everybody_can_change_is_refused(path: Path) -> None:
    path.write_text(TABLE)
    path.chmod(0o666)
    with pytest.raises(CannotStart, match="can be changed by every user"):
        read_panel_tokens(path, None)
    with pytest.raises(CannotStart, match="there is no such file"):
        read_panel_tokens(path.with_name("other"), None)
