"""Writes the kit's folder. A second run changes nothing, and a key is never overwritten."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.driver import Kit, KitError, KitFile, Problem
from placed_microsoft365.setup_kit import atomic_files, key_and_certificate, template_rendering
from placed_microsoft365.setup_kit.app_manifest import manifest
from placed_microsoft365.setup_kit.connection_toml import connection_table
from placed_microsoft365.setup_kit.questionnaire import understand
from placed_microsoft365.setup_kit.readme import next_steps, readme
from placed_microsoft365.setup_kit.template_values import bash_values, powershell_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from placed_microsoft365.setup_kit.key_and_certificate import KeyPair
    from placed_microsoft365.setup_kit.questionnaire import Answers

_SCRIPTS = {
    "room-group.ps1": "creates the group of rooms for the fence",
    "register.sh": "registers placed in Entra, with the Azure CLI",
    "register.ps1": "the same, with Microsoft Graph PowerShell",
    "fence-rbac.ps1": "sets up the fence with RBAC for Applications, and proves it",
    "fence-access-policy.ps1": "sets it up with an application access policy (legacy), and proves it",
    "move-to-rbac.ps1": "moves from the policy to RBAC without a gap",
    "calendar-processing.ps1": "shows what the rooms' calendars keep; changes it if titles are wanted",
    "undo.ps1": "removes all of it",
}
# 64 characters are the limit for names of assignments, scopes and groups in Exchange Online, and for a
# certificate's common name (RFC 5280). The longest name is `placed-NAME-calendars-read`.
_LONGEST_NAME = 64 - len("placed--calendars-read")
_RETIRING = {
    "retire-certificate.sh": "removes the old certificate from the registration, with the Azure CLI",
    "retire-certificate.ps1": "the same, with Microsoft Graph PowerShell",
}


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    purpose: str
    content: str
    mode: int = atomic_files.READABLE


def write_kit(
    connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
) -> Kit:
    """See `placed.driver.Setup.write_kit`."""
    if len(connection) > _LONGEST_NAME:
        text = f"found {len(connection)} characters, expected at most {_LONGEST_NAME}"
        limit = "Exchange Online takes 64 for the names that are made of it"
        raise KitError(Problem("NAME", f"{text}: {limit}"))
    folder = folder.absolute()
    if not str(folder).isprintable():  # it is written into files, in UTF-8, on one line
        text = f"{str(folder)!r}: expected a folder whose name is printable UTF-8"
        raise KitError(Problem("", text))
    known = {"client_id": _client_id_in(folder / "placed.toml", connection)}
    given = known | {key: answer for key, answer in answers.items() if answer}
    understand(connection, given, folder / f"{connection}.pem")  # before anything is written
    atomic_files.make_folder(folder)
    pairs = _pairs(connection, folder, now, renew=renew)
    # The oldest valid one is in use until its successor is registered and it is removed.
    good = [one for one in pairs if one.expires > now]
    if not good:
        expired = f"{folder / pairs[-1].name}.pem expired on {pairs[-1].expires:%Y-%m-%d}"
        raise KitError(Problem("", expired, "--renew makes another"))
    understood = understand(connection, given, folder / f"{good[0].name}.pem")
    written = list(_contents(understood, good))
    for file in written:
        atomic_files.write(folder / file.name, file.content.encode(), file.mode)
    listed = [KitFile(folder / file.name, file.purpose) for file in written]
    listed[1:1] = [KitFile(folder / f"{one.name}.pem", _PRIVATE) for one in good]
    return Kit(folder, tuple(listed), next_steps(understood, good))


_PRIVATE = "the private key with its certificate: for the server, and for nobody else"


def _contents(answers: Answers, pairs: Sequence[KeyPair]) -> Iterator[_File]:
    """Returns every file except the keys; `pairs` are the valid ones, the one in use first."""
    yield _File(
        "README.md", "what to run, in which order, who runs it, what it grants", readme(answers, pairs)
    )
    for one in pairs:
        yield _File(f"{one.name}.crt", "the certificate alone, which register uploads", one.public.decode())
    described = json.dumps(manifest(answers.settings), indent=2) + "\n"
    yield _File("manifest.json", "the registration, with the permissions that it asks for", described)
    for name, purpose in (_SCRIPTS | (_RETIRING if len(pairs) > 1 else {})).items():
        if name.endswith(".sh"):
            yield _File(
                name,
                purpose,
                template_rendering.render(name, bash_values(answers, pairs)),
                atomic_files.RUNNABLE,
            )
        else:
            yield _File(name, purpose, template_rendering.render(name, powershell_values(answers, pairs)))
    renewed = f"{pairs[-1].name}.pem" if len(pairs) > 1 else None
    table = connection_table(answers, renewed)
    yield _File("placed.toml", "the connection, for the configuration of placed", table)


def _pairs(connection: str, folder: Path, now: datetime, *, renew: bool) -> list[KeyPair]:
    """Returns the existing pairs, the oldest first, and a new one if it is due."""
    pairs = key_and_certificate.found(connection, folder)
    name = key_and_certificate.name_of_renewed(connection, now) if renew else connection
    if not pairs or (renew and name not in [one.name for one in pairs]):
        atomic_files.write_new(
            folder / f"{name}.pem", key_and_certificate.make(connection, now), atomic_files.OWNER_ALONE
        )
        pairs = key_and_certificate.found(connection, folder)
    return pairs


def _client_id_in(file: Path, connection: str) -> str:
    """Returns the client id that was filled in since, so that writing the kit again keeps it."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"))["connections"]
        return next(str(table["client_id"]) for table in tables if table["name"] == connection)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return ""
