"""`placed setup` for drivers that cannot do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from placed.cli.commands import app

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest


class ReadsOnly:
    """A driver with a setup that makes no folder of actions."""

    @staticmethod
    def setup() -> type[ReadsOnly]:
        return ReadsOnly

    @staticmethod
    def questions() -> tuple[()]:
        return ()

    @staticmethod
    def answers_of(_settings: Any) -> Mapping[str, str]:
        return {}

    @staticmethod
    def write_kit(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("nothing is written")


def test_a_driver_that_only_reads_has_no_folder_of_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("placed.driver.find_drivers", lambda: {"toy": ReadsOnly})
    ran = CliRunner().invoke(app, ["setup", "fabrikam", "--driver=toy", "--actions"])
    assert ran.exit_code == 2
    assert "--actions: this driver cannot set up actions; it only reads calendars" in ran.output
