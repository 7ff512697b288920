"""A little of the Google Cloud CLI, and of the cloud behind it, in a file. It refuses what it does not know.

Run as `gcloud`, by what `Gcloud` in test_gcloud_scripts.py puts on the PATH.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

_STATE = "GCLOUD_STATE"


class _Mistake(Exception):
    """What the real one would answer with an error."""


def _parsed(words: list[str]) -> tuple[str, list[str], dict[str, str]]:
    """The command, its arguments, and its options, all of which are written --name=value or --name."""
    options = dict(word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--"))
    plain = [word for word in words if not word.startswith("--")]
    if "quiet" not in options:
        raise _Mistake("it would ask, and nobody answers")
    for length in (4, 3, 2):
        command = " ".join(plain[:length])
        if command in _COMMANDS:
            return command, plain[length:], options
    raise _Mistake(f"Invalid choice: '{' '.join(plain)}'")


def _filtered(items: list[dict[str, Any]], condition: str) -> list[dict[str, Any]]:
    for part in condition.split(" AND "):
        found = re.fullmatch(r"(\w+)[=:]([\w@.-]+)", part)
        if found is None:
            raise _Mistake(f"filter {condition}")
        items = [item for item in items if item[found[1]] == found[2]]
    return items


def _project(state: dict[str, Any], options: dict[str, str]) -> dict[str, Any]:
    for project in state["projects"]:
        if project["projectId"] == options["project"] and project["lifecycleState"] == "ACTIVE":
            found: dict[str, Any] = project
            return found
    raise _Mistake(f"The project {options['project']} does not exist or is not yours")


def _account(state: dict[str, Any], address: str, options: dict[str, str]) -> dict[str, Any]:
    if "iam.googleapis.com" not in _project(state, options)["services"]:
        raise _Mistake("API [iam.googleapis.com] not enabled")
    if state["lag"] > 0:
        state["lag"] -= 1
        raise _Mistake(f"NOT_FOUND: Unknown service account {address}")
    for account in state["accounts"]:
        if account["email"] == address:
            found: dict[str, Any] = account
            return found
    raise _Mistake(f"NOT_FOUND: Unknown service account {address}")


def _auth_list(state: dict[str, Any], _arguments: list[str], _options: dict[str, str]) -> Any:
    return [{"account": "admin@fabrikam.example"}] if state["signed_in"] else []


def _projects_list(state: dict[str, Any], _arguments: list[str], options: dict[str, str]) -> Any:
    condition = options["filter"]
    if "lifecycleState" not in condition:  # as the real one
        condition = f"lifecycleState:ACTIVE AND {condition}"
    return _filtered(state["projects"], condition)


def _projects_create(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    (project,) = arguments
    if project in state["taken"] or any(known["projectId"] == project for known in state["projects"]):
        raise _Mistake("Requested entity already exists")
    services = [] if "no-enable-cloud-apis" in options else ["bigquery.googleapis.com"]
    state["projects"].append({"projectId": project, "lifecycleState": "ACTIVE", "services": services})


def _projects_delete(state: dict[str, Any], arguments: list[str], _options: dict[str, str]) -> Any:
    _project(state, {"project": arguments[0]})["lifecycleState"] = "DELETE_REQUESTED"


def _services_list(state: dict[str, Any], _arguments: list[str], options: dict[str, str]) -> Any:
    return [{"config.name": service} for service in _project(state, options)["services"]]


def _services_enable(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    project = _project(state, options)
    project["services"] = sorted({*project["services"], *arguments})


def _accounts_list(state: dict[str, Any], _arguments: list[str], options: dict[str, str]) -> Any:
    _project(state, options)
    return _filtered(state["accounts"], options["filter"])


def _accounts_create(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    project = _project(state, options)["projectId"]
    if "iam.googleapis.com" not in _project(state, options)["services"]:
        raise _Mistake("API [iam.googleapis.com] not enabled")
    email = f"{arguments[0]}@{project}.iam.gserviceaccount.com"
    number = f"10000000000000000000{len(state['accounts'])}"
    state["accounts"].append({"email": email, "oauth2ClientId": number, "disabled": "", "keys": []})
    state["lag"] = state["slow"]


def _accounts_describe(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    return [_account(state, arguments[0], options)]


def _accounts_delete(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    state["accounts"].remove(_account(state, arguments[0], options))


def _keys_list(state: dict[str, Any], _arguments: list[str], options: dict[str, str]) -> Any:
    if options["managed-by"] != "user":
        raise _Mistake("managed-by")
    keys = _account(state, options["iam-account"], options)["keys"]
    return [{"name.basename()": key} for key in keys]


def _keys_create(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    account = _account(state, options["iam-account"], options)
    if state["keys_forbidden"]:
        raise _Mistake("FAILED_PRECONDITION: Key creation is not allowed on this service account.")
    key = f"{len(state['calls']):040x}"
    account["keys"].append(key)
    content = {
        "type": "service_account",
        "project_id": options["project"],
        "private_key_id": key,
        "private_key": state["private_key"],
        "client_email": account["email"],
        "client_id": account["oauth2ClientId"],
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    Path(arguments[0]).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _keys_delete(state: dict[str, Any], arguments: list[str], options: dict[str, str]) -> Any:
    _account(state, options["iam-account"], options)["keys"].remove(arguments[0])


_COMMANDS = {
    "auth list": _auth_list,
    "projects list": _projects_list,
    "projects create": _projects_create,
    "projects delete": _projects_delete,
    "services list": _services_list,
    "services enable": _services_enable,
    "iam service-accounts list": _accounts_list,
    "iam service-accounts create": _accounts_create,
    "iam service-accounts describe": _accounts_describe,
    "iam service-accounts delete": _accounts_delete,
    "iam service-accounts keys list": _keys_list,
    "iam service-accounts keys create": _keys_create,
    "iam service-accounts keys delete": _keys_delete,
}


def main() -> int:
    """As `gcloud`."""
    file = Path(os.environ[_STATE])
    state = json.loads(file.read_text("utf-8"))
    state["calls"].append(sys.argv[1:])
    rows: list[dict[str, Any]] = []
    code = 0
    options: dict[str, str] = {}
    try:
        command, arguments, options = _parsed(sys.argv[1:])
        rows = _COMMANDS[command](state, arguments, options) or []
    except _Mistake as mistake:
        sys.stderr.write(f"ERROR: (gcloud) {mistake}\n")
        code = 1
    file.write_text(json.dumps(state), "utf-8")
    column = options.get("format", "").removeprefix("value(").removesuffix(")")
    if column:
        sys.stdout.write("".join(f"{row[column]}\n" for row in rows))
    return code


if __name__ == "__main__":
    sys.exit(main())
