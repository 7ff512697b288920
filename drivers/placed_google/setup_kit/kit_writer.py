"""Writes the kit's folder. A second run changes nothing. A script of the kit has Google make the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.driver import Kit, KitError, KitFile, Problem, SettingsError, kit_files
from placed.driver.kit_templates import Templates
from placed_google.auth.key_file import load_key
from placed_google.setup_kit.connection_toml import actions_table, connection_table
from placed_google.setup_kit.questionnaire import understand
from placed_google.setup_kit.readme import actions_readme, fence_page, next_steps, readme
from placed_google.setup_kit.service_account import (
    LONGEST_CONNECTION,
    LONGEST_WITH_ACTIONS,
    registration_name,
)
from placed_google.setup_kit.template_values import bash_values, javascript_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from placed_google.setup_kit.questionnaire import Answers

_TEMPLATES = Templates("placed_google.setup_kit")
_PROJECT_SCRIPTS = {
    "create-project.sh": "creates the project, the service account and its key, with the Google Cloud CLI",
    "renew-key.sh": "makes another key, and removes an old one",
    "undo-project.sh": "deletes the service account with its keys",
}
_APPS_SCRIPTS = {
    "share-rooms.gs": "shares the rooms with it, and takes that back, with Apps Script",
    "appsscript.json": "what that script may do, for its project",
}
_GAM_SCRIPT = ("share-rooms-gam.sh", "the same with GAM")


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    purpose: str
    content: str
    mode: int = kit_files.READABLE


def write_kit(
    connection: str,
    answers: Mapping[str, str],
    folder: Path,
    *,
    now: datetime,  # noqa: ARG001 - of the protocol; keys of Google have no dates
    renew: bool,
) -> Kit:
    """See `placed.driver.Setup.write_kit`."""
    return _write(connection, answers, folder, renew=renew, actions=False)


def write_actions_kit(
    connection: str,
    answers: Mapping[str, str],
    folder: Path,
    *,
    now: datetime,  # noqa: ARG001 - see above
    renew: bool,
) -> Kit:
    """See `placed.driver.ActionsSetup.write_actions_kit`."""
    return _write(connection, answers, folder, renew=renew, actions=True)


def _write(connection: str, answers: Mapping[str, str], folder: Path, *, renew: bool, actions: bool) -> Kit:
    longest = LONGEST_WITH_ACTIONS if actions else LONGEST_CONNECTION
    if len(connection) > longest:
        text = f"found {len(connection)} characters, expected at most {longest}"
        limit = "Google takes 30 for the id of a service account, which is made of it"
        raise KitError(Problem("NAME", f"{text}: {limit}"))
    folder = kit_files.checked(folder)
    key_file = _key_in_use(folder, registration_name(connection, actions=actions))
    understood = understand(connection, answers, key_file, actions=actions)
    client_id = _client_id(key_file, understood)
    kit_files.make_folder(folder)
    written = list(_contents(understood, client_id))
    for file in written:
        kit_files.write(folder / file.name, file.content.encode(), file.mode)
    listed = [KitFile(folder / file.name, file.purpose) for file in written]
    return Kit(folder, tuple(listed), next_steps(understood, renew=renew))


def _contents(answers: Answers, client_id: str | None) -> Iterator[_File]:
    """Returns every file; the key is not among them."""
    page = (actions_readme if answers.actions else readme)(answers, client_id)
    yield _File("README.md", "what to run, in which order, who runs it, what it grants", page)
    bash = bash_values(answers)
    for name, purpose in _PROJECT_SCRIPTS.items():
        yield _File(name, purpose, _TEMPLATES.render(name, bash), kit_files.RUNNABLE)
    if not answers.delegated:
        script = javascript_values(answers)
        for name, purpose in _APPS_SCRIPTS.items():
            yield _File(name, purpose, _TEMPLATES.render(name, script))
        name, purpose = _GAM_SCRIPT
        yield _File(name, purpose, _TEMPLATES.render(name, bash), kit_files.RUNNABLE)
    if answers.actions:
        table = actions_table(answers)
        yield _File("placed.toml", "the table of actions, for the configuration of placed", table)
        return
    yield _File("fence.md", "the canaries, and what they prove", fence_page(answers, client_id))
    yield _File("placed.toml", "the connection, for the configuration of placed", connection_table(answers))


def _key_in_use(folder: Path, name: str) -> Path:
    """Returns the key's file: NAME.json, or the oldest of those that renew-key.sh made if that is gone."""
    first = folder / f"{name}.json"
    renewed = sorted(folder.glob(f"{name}-????-??-??.json"))
    return renewed[0] if renewed and not first.exists() else first


def _client_id(key_file: Path, answers: Answers) -> str | None:
    """Returns the account's number, if create-project.sh has made its key by now."""
    if not key_file.exists():
        return None
    try:
        key = load_key(key_file)
    except SettingsError as error:
        raise KitError(Problem("", error.problem.text, "it is left alone, move it away")) from None
    if key.email != answers.account.address:
        text = f"{key_file} is the key of {key.email}, and not of {answers.account.address}"
        raise KitError(Problem("", text, "it is left alone, move it away, or give --set account=ADDRESS"))
    return key.client_id or None
