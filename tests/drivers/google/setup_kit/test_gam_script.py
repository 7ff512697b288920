"""The script for GAM, run for real with a program in its place that records how it is called."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.drivers.google.setup_kit.sample_kits import ACCOUNT, BOARDROOM, LIBRARY, VARIANTS, WRITER, write
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from pathlib import Path

GAM = """#!/bin/sh
printf '%s|' "$@" >>"$GAM_CALLS"
echo >>"$GAM_CALLS"
case $* in *$GAM_REFUSES*) exit 1 ;; esac
"""


class Gam:
    """A kit's script, and a `gam` on its PATH."""

    def __init__(self, folder: Path, variant: str, refuses: str = "nobody", *, actions: bool = False) -> None:
        write(folder / "kit", VARIANTS[variant], actions=actions)
        self._script = folder / "kit" / "share-rooms-gam.sh"
        self._calls = folder / "calls"
        self._bin = folder / "bin"
        self._bin.mkdir()
        (self._bin / "gam").write_text(GAM)
        (self._bin / "gam").chmod(0o755)
        self._refuses = refuses

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self._bin}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "GAM_CALLS": str(self._calls),
            "GAM_REFUSES": self._refuses,
        }
        return subprocess.run(
            ["bash", self._script, *options],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    @property
    def calls(self) -> list[list[str]]:
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [line.split("|")[:-1] for line in lines]


def test_each_named_room_is_shared_as_reader_without_a_mail(tmp_path: Path) -> None:
    gam = Gam(tmp_path, "rooms")
    ran = gam.run()
    assert ran.returncode == 0, ran.stderr
    words = ["add", "acls", "reader", f"user:{ACCOUNT}", "sendnotifications", "false"]
    assert gam.calls == [["calendars", room, *words] for room in (BOARDROOM, LIBRARY)]


def test_undo_takes_it_back(tmp_path: Path) -> None:
    gam = Gam(tmp_path, "group")
    assert gam.run("--undo").returncode == 0
    words = ["delete", "acls", "reader", "group:placed-rooms@fabrikam.example"]
    assert gam.calls == [["calendars", room, *words] for room in (BOARDROOM, LIBRARY)]


def test_rooms_of_the_directory_are_listed_first(tmp_path: Path) -> None:
    gam = Gam(tmp_path, "query")
    ran = gam.run()
    assert ran.returncode == 0, ran.stderr
    listed, shared = gam.calls
    assert listed[:2] == ["redirect", "csv"]
    assert listed[3:] == ["print", "resources", "query", VARIANTS["query"]["room_query"], "fields", "email"]
    assert shared[:2] == ["csv", listed[2]]
    assert shared[2:5] == ["gam", "calendars", "~resourceEmail"]


@pytest.mark.parametrize("variant", ["rooms", "directory"])
def test_with_what_if_gam_is_not_called(variant: str, tmp_path: Path) -> None:
    gam = Gam(tmp_path, variant)
    ran = gam.run("--what-if")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("would run: gam") == 2
    assert gam.calls == []


def test_a_room_that_fails_is_named_and_the_others_are_shared(tmp_path: Path) -> None:
    gam = Gam(tmp_path, "rooms", refuses=BOARDROOM)
    ran = gam.run()
    assert ran.returncode == 1
    assert ran.stderr == f"share-rooms-gam.sh: 1 of 2 rooms failed: {BOARDROOM}\n"
    assert len(gam.calls) == 2


def test_the_account_of_actions_may_change_events(tmp_path: Path) -> None:
    gam = Gam(tmp_path, "rooms", actions=True)
    assert gam.run().returncode == 0
    words = ["add", "acls", "writer", f"user:{WRITER}", "sendnotifications", "false"]
    assert gam.calls == [["calendars", room, *words] for room in (BOARDROOM, LIBRARY)]
    assert gam.run("--undo").returncode == 0
    assert gam.calls[-1] == ["calendars", LIBRARY, "delete", "acls", "writer", f"user:{WRITER}"]
