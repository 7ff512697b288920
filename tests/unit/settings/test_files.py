"""Configuration files are read as editors save them, and what cannot be read is one clear line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from placed.settings.loader import ConfigurationError, load
from tests.unit.settings.test_loader import CONNECTION


def refused(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    (problem,) = caught.value.problems
    return problem.line


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["placed.toml", "placed.d/10-more.toml"])
def test_a_file_is_read_however_an_editor_saves_it(
    tmp_path: Path, encoding: str, newline: str, name: str
) -> None:
    (tmp_path / "placed.d").mkdir()
    (tmp_path / "placed.toml").write_text("", "utf-8")
    text = f'# Besprechungsräume\n{CONNECTION}[rooms."boardroom@contoso.example"]\nname = "Größe"\n'
    (tmp_path / name).write_bytes(text.replace("\n", newline).encode(encoding))
    settings = load(tmp_path / "placed.toml").settings
    assert settings.rooms["boardroom@contoso.example"].name == "Größe"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"# caf\xe9\n", "expected UTF-8 text, found byte 0xe9 in line 1; save the file as UTF-8"),
        (b"\n\n# caf\xe9\n", "expected UTF-8 text, found byte 0xe9 in line 3; save the file as UTF-8"),
        (
            "a = 1".encode("utf-16-le"),
            "expected UTF-8 text, found UTF-16 without a mark; save the file as UTF-8",
        ),
        (b"\xff\xfea", "expected UTF-8 text, found UTF-16 that is cut off; save the file as UTF-8"),
        ("a = 1".encode("utf-32"), "expected UTF-8 text, found UTF-32; save the file as UTF-8"),
    ],
)
def test_a_file_in_another_encoding_is_reported_with_the_needed_encoding(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "placed.toml"
    path.write_bytes(content)
    assert refused(path) == f"{path}: {expected}"


def test_a_wrong_line_in_a_file_with_a_mark_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "placed.toml"
    path.write_bytes(b"\xef\xbb\xbf[polling]\ninterval = soon\n")
    assert "line 2" in refused(path)
    assert "Invalid statement" not in refused(path)


def a_folder(folder: Path) -> Path:
    return folder


def in_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "placed.toml"


def in_a_loop(folder: Path) -> Path:
    (folder / "loop").symlink_to("loop")
    return folder / "loop" / "placed.toml"


def loop(folder: Path) -> Path:
    (folder / "placed.toml").symlink_to("placed.toml")
    return folder / "placed.toml"


def long_name(folder: Path) -> Path:
    return folder / f"{'n' * 300}.toml"


def odd_name(folder: Path) -> Path:
    return folder / os.fsdecode(b"\xff.toml")


def nowhere(folder: Path) -> Path:
    return folder / "none" / "placed.toml"


def dangling(folder: Path) -> Path:
    (folder / "placed.toml").symlink_to("elsewhere")
    return folder / "placed.toml"


def nothing(_folder: Path) -> Path:
    return Path()


def root(_folder: Path) -> Path:
    return Path("/")


def nul(folder: Path) -> Path:
    return folder / "a\0b"


ODD = [
    a_folder,
    in_a_file,
    in_a_loop,
    loop,
    long_name,
    odd_name,
    nowhere,
    dangling,
    nothing,
    root,
    nul,
]


@pytest.mark.parametrize("make", ODD)
@pytest.mark.parametrize("default", [False, True])
def test_a_path_that_cannot_be_read_is_one_line(
    tmp_path: Path, make: object, monkeypatch: pytest.MonkeyPatch, *, default: bool
) -> None:
    assert callable(make)
    path = make(tmp_path)
    if default:
        monkeypatch.setattr("placed.settings.loader.DEFAULT_FILE", path)
        with pytest.raises(ConfigurationError) as caught:
            load()
        (problem,) = (found.line for found in caught.value.problems)
    else:
        problem = refused(path)
    assert problem.isprintable()
    assert problem.count(": ") >= 1


@pytest.mark.parametrize("what", ["loop", "file", "folder", "dangling", "nothing"])
def test_odd_drop_ins_are_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / "placed.toml"
    path.write_text(CONNECTION)
    dropins = tmp_path / "placed.d"
    if what == "loop":
        dropins.symlink_to(dropins)
        expected = f"{dropins}: cannot be read: Too many levels of symbolic links"
    elif what == "file":
        dropins.write_text("")
        expected = f"{dropins}: cannot be read: Not a directory"
    elif what == "folder":
        (dropins / "a.toml").mkdir(parents=True)
        expected = f"{dropins / 'a.toml'}: cannot be read: Is a directory"
    elif what == "dangling":
        dropins.mkdir()
        (dropins / "a.toml").symlink_to("nowhere")
        expected = f"{dropins / 'a.toml'}: cannot be read: No such file or directory"
    else:
        assert load(path).files.read == [path]
        return
    assert refused(path).startswith(expected)


class Denied:
    """Stands for a folder that another user owns, since root may read everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def wrap(self, call: object) -> object:
        assert callable(call)

        def guarded(path: object, *args: object, **kwargs: object) -> object:
            if isinstance(path, (str, bytes, os.PathLike)) and str(self.folder) in os.fsdecode(path):
                raise PermissionError(13, "Permission denied", os.fsdecode(path))
            return call(path, *args, **kwargs)

        return guarded


@pytest.mark.parametrize("named", [True, False])
def test_a_folder_that_another_user_owns_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    path = folder / "placed.toml"
    path.write_text(CONNECTION)
    denied = Denied(folder)
    monkeypatch.setattr("placed.settings.loader.DEFAULT_FILE", path)
    with monkeypatch.context() as patch:
        for name in ("stat", "scandir", "open", "listdir"):
            patch.setattr(os, name, denied.wrap(getattr(os, name)))
        patch.setattr("io.open", denied.wrap(open))
        with pytest.raises(ConfigurationError) as caught:
            load(path if named else None)
    assert caught.value.problems[0].line.startswith(f"{path}: cannot be read: Permission denied; let ")
