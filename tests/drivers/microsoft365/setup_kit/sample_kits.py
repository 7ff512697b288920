"""Kits, written to try them."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from placed_microsoft365.clouds import Cloud
from placed_microsoft365.setup_kit import key_and_certificate, write_actions_kit, write_kit
from placed_microsoft365.simulator import make_client_certificate
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.driver import Kit

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
CLIENT_ID = "9aa1f7b2-5d3e-4c54-8a1b-0f7c2b6d9e11"
GIVEN = {
    "tenant": "contoso.onmicrosoft.com",
    "fence.canaries": "someone@contoso.com",
    "time_zone": "Europe/Berlin",
}
ROOMS = {"rooms": "boardroom@contoso.com,library@contoso.com"}
SOURCES = {
    "rooms": ROOMS,
    "room_group": {"room_group": "placed-rooms@contoso.com"},
    "room_list": {"room_list": "hq-rooms@contoso.com"},
    "all rooms": {"room_list": "*"},
}
KINDS = ("rbac", "access-policy")
COMBINATIONS = [(kind, source, cloud.value) for kind in KINDS for source in SOURCES for cloud in Cloud]
# Legal in a mail address, and something else to a shell.
HOSTILE = ("o'brien@contoso.com", "$HOME@contoso.com", "`id`@contoso.com", "''$x{y}|&@contoso.com")


@cache
def _pem(moment: datetime) -> bytes:
    """Large keys take long to make and to read, and are of no interest to most tests."""
    return make_client_certificate(key_size=2048, valid_from=moment)


def write(  # noqa: PLR0913 - what a kit is made of
    folder: Path,
    more: Mapping[str, str] | None = None,
    *,
    now: datetime = NOW,
    renew: bool = False,
    quick: bool = True,
    actions: bool = False,
    **answers: str,
) -> Kit:
    """A kit of the connection contoso. As a keyword, fence.kind is fence__kind."""
    registration = "contoso-actions" if actions else "contoso"
    named = {key.replace("__", "."): answer for key, answer in {**(more or {}), **answers}.items()}
    if quick:
        folder.mkdir(exist_ok=True)
        name = key_and_certificate.name_of_renewed(registration, now) if renew else registration
        if not (folder / f"{name}.pem").exists():
            write_secret(folder / f"{name}.pem", _pem(now))
    known = GIVEN if {"rooms", "room_group", "room_list"} & named.keys() else GIVEN | ROOMS
    written = write_actions_kit if actions else write_kit
    return written("contoso", known | named, folder, now=now, renew=renew)


@cache
def scripts(kind: str, source: str, cloud: str, *, actions: bool = False) -> dict[str, str]:
    """Every script of a kit that has been renewed, which has all that there can be, by its name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answers = {**SOURCES[source], "fence.kind": kind, "cloud": cloud}
        write(folder, answers, actions=actions)
        write(folder, answers, renew=True, now=NOW + timedelta(days=60), actions=actions)
        return {path.name: path.read_text() for path in folder.iterdir() if path.suffix in (".sh", ".ps1")}
