"""The port: settings that every driver has, errors, and how drivers are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from placed.domain.model import Reason
from placed.driver import (
    ConnectionSettings,
    DriverError,
    FilePath,
    NotPermitted,
    Refused,
    Unavailable,
    find_drivers,
)


def settings(**more: Any) -> ConnectionSettings:
    return ConnectionSettings(**({"name": "contoso", "driver": "any"} | more))


def test_the_driver_that_placed_comes_with_is_found() -> None:
    kind = find_drivers()["microsoft365"]
    assert issubclass(kind.Settings, ConnectionSettings)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable, Reason.UNAVAILABLE),
        (NotPermitted, Reason.FORBIDDEN),
        (Refused, Reason.REFUSED),
        (DriverError, Reason.UNAVAILABLE),
    ],
)
def test_an_error_carries_the_reason_and_the_remedy_of_its_rooms(
    error: type[DriverError], reason: Reason
) -> None:
    raised = error("it went wrong", remedy="do that", retry_after=7.5)
    assert isinstance(raised, DriverError)
    assert (raised.reason, str(raised), raised.problem.remedy) == (reason, "it went wrong", "do that")
    assert raised.problem.retry_after == 7.5


@pytest.mark.parametrize("name", ["contoso", "c", "0", "contoso-east_2"])
def test_a_connections_name_fits_everywhere(name: str) -> None:
    assert settings(name=name).name == name


@pytest.mark.parametrize("name", ["", "Contoso", "-contoso", "con toso", "contoso/east", "größe", "a\n"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        settings(name=name)


def test_rooms_are_in_utc_unless_a_zone_is_set() -> None:
    assert settings().time_zone == ZoneInfo("UTC")
    assert settings(time_zone="Europe/Berlin").time_zone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "zone", ["", "Berlin", "CEST", "Europe/", "../etc/passwd", "/etc/localtime", "a" * 300, 1]
)
def test_a_time_zone_that_is_none_is_refused(zone: object) -> None:
    with pytest.raises(ValidationError):
        settings(time_zone=zone)


def test_a_path_may_name_variables_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Some(BaseModel):
        file: FilePath

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/placed.service")
    assert Some(file="$CREDENTIALS_DIRECTORY/secret").file == Path("/run/credentials/placed.service/secret")  # type: ignore[arg-type] # as TOML has it
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert Some(file=Path("/etc/placed/secret")).file == Path("/etc/placed/secret")
