"""Google Cloud's console: projects, service accounts and keys. Only a new key's answer holds a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.workspace.cloud_accounts import APIS

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_google.simulator.control.console_call import Call
    from placed_google.simulator.workspace.cloud_accounts import ServiceAccount
    from placed_google.simulator.workspace.workspace import Workspace


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service account to make."""

    name: str = "placed"
    project: str = "placed-rooms"


class Scopes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What delegation is granted for."""

    scopes: tuple[str, ...]


class ApiState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An API to enable or to disable."""

    api: str
    enabled: bool = True


class SubjectToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token of another provider that is good from now on."""

    subject_token: str


def accounts(token_uri: str) -> Callable[[Call], object]:
    """What is asked of service accounts, whose key files lead to `token_uri`."""

    def answer(call: Call) -> object:
        workspace = call.tenant
        match call.key():
            case ("GET",):
                return [_state(account) for account in workspace.accounts.values()]
            case ("POST",):
                new = call.read(NewAccount)
                return _state(workspace.add_service_account(new.name, project=new.project))
            case ("DELETE", email):
                workspace.remove_account(workspace.account(email))
                return None
            case ("POST", email, "keys"):
                return json.loads(workspace.add_key(workspace.account(email), token_uri=token_uri))
            case (_, email, _, *_):
                return _change(call, workspace.account(email))
            case _:
                raise call.unknown

    return answer


def _change(call: Call, account: ServiceAccount) -> object:
    workspace = call.tenant
    match call.key(depth=2):
        case ("DELETE", "keys", key_id):
            if account.keys.pop(key_id, None) is None:
                raise LookupError(f"{account.email} has no key {key_id!r}")
        case ("POST", "delegation"):
            workspace.delegate(account, *call.read(Scopes).scopes)
        case ("DELETE", "delegation"):
            account.delegated.clear()
        case ("POST" | "DELETE" as method, "directory-role"):
            account.reads_directory = method == "POST"
        case ("POST", "enable" | "disable" as verb):
            account.disabled = verb == "disable"
        case ("POST", "expire-tokens"):
            workspace.tokens.withdraw(account.email)
        case ("POST", "workload-identity"):
            return _federate(workspace, account, call.read(SubjectToken).subject_token)
        case _:
            raise call.unknown
    return _state(account)


def _federate(workspace: Workspace, account: ServiceAccount, subject_token: str) -> object:
    identity = workspace.add_workload_identity(account)
    identity.subject_tokens.add(subject_token)
    return {"audience": identity.audience}


def projects(call: Call) -> object:
    """What is asked of projects."""
    workspace = call.tenant
    match call.key():
        case ("GET",):
            pass
        case ("POST", project, "apis"):
            change = call.read(ApiState)
            if change.api not in APIS:
                raise ValueError(f"api: one of {', '.join(APIS)}, not {change.api!r}")
            if project not in workspace.projects:
                raise LookupError(f"there is no project {project!r}")
            apis = workspace.projects[project].apis
            (apis.add if change.enabled else apis.discard)(change.api)
        case _:
            raise call.unknown
    return [
        {"id": project.id, "number": project.number, "apis": sorted(project.apis)}
        for project in workspace.projects.values()
    ]


def _state(account: ServiceAccount) -> dict[str, object]:
    return {
        "email": account.email,
        "client_id": account.client_id,
        "project": account.project.id,
        "enabled": not account.disabled,
        "keys": sorted(account.keys),
        "delegated": sorted(account.delegated),
        "reads_directory": account.reads_directory,
    }
