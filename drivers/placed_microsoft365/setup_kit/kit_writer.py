"""Writes the kit's folder. A second run changes nothing, and a key is never overwritten."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.driver import Kit, KitError, KitFile, Problem, kit_files
from placed_microsoft365.setup_kit import key_and_certificate, template_rendering
from placed_microsoft365.setup_kit.app_manifest import manifest
from placed_microsoft365.setup_kit.connection_toml import actions_table, connection_table
from placed_microsoft365.setup_kit.questionnaire import registration_name, understand
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
_SCRIPTS_OF_ACTIONS = {
    name: purpose
    for name, purpose in _SCRIPTS.items()
    if name not in ("room-group.ps1", "calendar-processing.ps1")
} | {"auto-release.ps1": "shows in which rooms Exchange releases meetings itself; switches it off on request"}
# 64 characters are the limit for names of assignments, scopes and groups in Exchange Online, and for a
# certificate's common name (RFC 5280). The longest names are `placed-NAME-calendars-read` and
# `placed-NAME-calendars-readwrite`.
_LONGEST_NAME = 64 - len("placed--calendars-read")
_LONGEST_NAME_WITH_ACTIONS = 64 - len("placed--calendars-readwrite")
_RETIRING = {
    "retire-certificate.sh": "removes the old certificate from the registration, with the Azure CLI",
    "retire-certificate.ps1": "the same, with Microsoft Graph PowerShell",
}


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    purpose: str
    content: str
    mode: int = kit_files.READABLE


def write_kit(
    connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
) -> Kit:
    """See `placed.driver.Setup.write_kit`."""
    return _write(connection, answers, folder, now=now, renew=renew, actions=False)


def write_actions_kit(
    connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
) -> Kit:
    """See `placed.driver.ActionsSetup.write_actions_kit`."""
    return _write(connection, answers, folder, now=now, renew=renew, actions=True)


def _write(  # noqa: PLR0913 - what a kit is made of
    connection: str,
    answers: Mapping[str, str],
    folder: Path,
    *,
    now: datetime,
    renew: bool,
    actions: bool,
) -> Kit:
    longest = _LONGEST_NAME_WITH_ACTIONS if actions else _LONGEST_NAME
    if len(connection) > longest:
        text = f"found {len(connection)} characters, expected at most {longest}"
        limit = "Exchange Online takes 64 for the names that are made of it"
        raise KitError(Problem("NAME", f"{text}: {limit}"))
    folder = kit_files.checked(folder)
    registration = registration_name(connection, actions=actions)
    known = {"client_id": _client_id_in(folder / "placed.toml", connection, actions=actions)}
    given = known | {key: answer for key, answer in answers.items() if answer}
    understand(connection, given, folder / f"{registration}.pem")  # before anything is written
    kit_files.make_folder(folder)
    pairs = _pairs(registration, folder, now, renew=renew)
    # The oldest valid one is in use until its successor is registered and it is removed.
    good = [one for one in pairs if one.expires > now]
    if not good:
        expired = f"{folder / pairs[-1].name}.pem expired on {pairs[-1].expires:%Y-%m-%d}"
        raise KitError(Problem("", expired, "--renew makes another"))
    understood = understand(connection, given, folder / f"{good[0].name}.pem", actions=actions)
    written = list(_contents(understood, good))
    for file in written:
        kit_files.write(folder / file.name, file.content.encode(), file.mode)
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
    described = json.dumps(manifest(answers), indent=2) + "\n"
    yield _File("manifest.json", "the registration, with the permissions that it asks for", described)
    scripts = _SCRIPTS_OF_ACTIONS if answers.actions else _SCRIPTS
    for name, purpose in (scripts | (_RETIRING if len(pairs) > 1 else {})).items():
        if name.endswith(".sh"):
            yield _File(
                name,
                purpose,
                template_rendering.render(name, bash_values(answers, pairs)),
                kit_files.RUNNABLE,
            )
        else:
            yield _File(name, purpose, template_rendering.render(name, powershell_values(answers, pairs)))
    renewed = f"{pairs[-1].name}.pem" if len(pairs) > 1 else None
    if answers.actions:
        table, purpose = (
            actions_table(answers, renewed),
            "the table of actions, for the configuration of placed",
        )
    else:
        table, purpose = connection_table(answers, renewed), "the connection, for the configuration of placed"
    yield _File("placed.toml", purpose, table)


def _pairs(registration: str, folder: Path, now: datetime, *, renew: bool) -> list[KeyPair]:
    """Returns the existing pairs, the oldest first, and a new one if it is due."""
    pairs = key_and_certificate.found(registration, folder)
    name = key_and_certificate.name_of_renewed(registration, now) if renew else registration
    if not pairs or (renew and name not in [one.name for one in pairs]):
        kit_files.write_new(
            folder / f"{name}.pem", key_and_certificate.make(registration, now), kit_files.OWNER_ALONE
        )
        pairs = key_and_certificate.found(registration, folder)
    return pairs


def _client_id_in(file: Path, connection: str, *, actions: bool) -> str:
    """Returns the client id that was filled in since, so that writing the kit again keeps it."""
    try:
        tables = tomllib.loads(file.read_text("utf-8"))["connections"]
        if actions:
            return str(tables["actions"]["client_id"])
        return next(str(table["client_id"]) for table in tables if table["name"] == connection)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return ""
