"""The values for the scripts' templates: quoted literals, and fixed texts of this driver."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from placed.driver import kit_templates
from placed_microsoft365.auth.application_permissions import (
    APP_ROLES,
    CALENDARS_READ,
    CALENDARS_WRITE,
    GRAPH_APP_ID,
    GROUP_MEMBERS,
    PLACES,
    RBAC,
)
from placed_microsoft365.clouds import CLOUDS
from placed_microsoft365.settings import ALL_ROOMS
from placed_microsoft365.setup_kit import template_rendering
from placed_microsoft365.setup_kit.app_manifest import (
    REDIRECT_URI,
    application_name,
    required_resource_access,
)
from placed_microsoft365.setup_kit.tool_cloud_names import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.setup_kit.key_and_certificate import KeyPair
    from placed_microsoft365.setup_kit.questionnaire import Answers

# By whether the kit is for the registration of actions.
_ALLOWED = {False: [CALENDARS_READ, GROUP_MEMBERS, PLACES], True: [CALENDARS_WRITE]}
_GRANTS = {
    False: "Grants: reading the calendars of the direct members of the room group. Nothing that writes, "
    "nobody else.",
    True: "Grants: reading and changing the calendars of the direct members of the room group, and nobody "
    "else's.",
}

_UNDO_GROUP = "  5. with -RemoveGroup: the room group, when nothing refers to it any more\n"


def bash_values(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, str]:
    """Returns the values for a bash script; `pairs` are the valid ones, the one in use first."""
    lists = _lists(answers, pairs)
    values = {key: kit_templates.bash(text) for key, text in _texts(answers, pairs).items()}
    values |= {key: kit_templates.bash_words(texts) for key, texts in lists.items()}
    values["permission_ids"] = kit_templates.bash("\n".join(lists["permission_ids"]))
    return values | _as_they_are(answers)


def powershell_values(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, str]:
    """Returns the values for a PowerShell script."""
    values = {key: template_rendering.powershell(text) for key, text in _texts(answers, pairs).items()}
    values |= {
        key: template_rendering.powershell_array(texts) for key, texts in _lists(answers, pairs).items()
    }
    return values | _as_they_are(answers)


def _as_they_are(answers: Answers) -> dict[str, str]:
    """Returns the fixed texts; none of them contains an answer."""
    settings, tools = answers.settings, TOOLS[answers.settings.cloud]
    names = answers.permissions
    comments = []
    for name in names:
        permission = APP_ROLES[name].permission
        comments += _commented(f"{name}: {permission.can}. It cannot {permission.cannot}.")
    if settings.fence.kind == RBAC:
        comments += [
            f"# Not {answers.calendars}: Exchange grants that, within the fence.",
            "# A grant in Entra would cancel the fence.",
        ]
    undoes_group = "" if answers.actions else template_rendering.render("parts/undo_group.ps1", {})
    return {
        "all_rooms": " = $true" if settings.room_list == ALL_ROOMS else "",
        "calendars_plain": answers.calendars,
        "choose_cloud": "; ".join(tools.az_cloud),
        "choose_cloud_comment": "\n".join(f"#   {command}" for command in tools.az_cloud),
        "grants_plain": _GRANTS[answers.actions],
        "permission_names_plain": ", ".join(names) or "none",
        "permissions_comment": "".join(f"\n{comment}" for comment in comments),
        "reach_plain": "read and change" if answers.actions else "read",
        "undo_group": undoes_group,
        "undo_group_functions": "" if answers.actions else template_rendering.render("parts/group.ps1", {}),
        "undo_group_text": "" if answers.actions else _UNDO_GROUP,
        "undo_group_parameter": "" if answers.actions else ",\n    [switch] $RemoveGroup",
    }


def _commented(text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent="#   ", subsequent_indent="#     ")


def _texts(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, str]:
    """Returns the texts that are quoted as literals, in either language."""
    settings = answers.settings
    tools = TOOLS[settings.cloud]
    from_list = settings.room_list if settings.room_list not in (None, ALL_ROOMS) else None
    return {
        "application_name": application_name(answers),
        "assignment_name": f"placed-{settings.name}-{answers.calendars.lower().replace('.', '-')}",
        "calendars": answers.calendars,
        "calendars_id": APP_ROLES[answers.calendars].id,
        "client_id": answers.client_id or "",
        "exchange_environment": tools.exchange,
        "from_room_list": from_list or "",
        "graph": CLOUDS[settings.cloud].graph,
        "graph_app_id": GRAPH_APP_ID,
        "graph_environment": tools.graph,
        "group": answers.group,
        "group_name": f"placed-{settings.name}-rooms",
        "new_identifier": pairs[-1].identifier,
        "new_thumbprint": pairs[-1].thumbprint,
        "permission_names": ", ".join(answers.permissions) or "none",
        "redirect_uri": REDIRECT_URI,
        "resource_access": json.dumps(required_resource_access(answers), separators=(",", ":")),
        "role": f"Application {answers.calendars}",
        "room": settings.rooms[0] if settings.rooms else "",
        "scope_name": f"placed-{settings.name}-{'actions' if answers.actions else 'rooms'}",
        "tenant": settings.tenant,
    }


def _lists(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, list[str]]:
    settings = answers.settings
    return {
        "canaries": list(settings.fence.canaries),
        "allowed_permissions": _ALLOWED[answers.actions],
        "certificates": [f"{one.name}.crt" for one in pairs],
        "identifiers": [one.identifier for one in pairs],
        "old_certificates": [f"{one.name}.crt" for one in pairs[:-1]],
        "old_identifiers": [one.identifier for one in pairs[:-1]],
        "old_thumbprints": [one.thumbprint for one in pairs[:-1]],
        "permission_ids": sorted(APP_ROLES[name].id for name in answers.permissions),
        "rooms": list(settings.rooms),
        "thumbprints": [one.thumbprint for one in pairs],
    }
