"""The values for the scripts' templates: quoted literals, and fixed texts of this driver."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from placed_microsoft365.auth.application_permissions import (
    APP_ROLES,
    CALENDARS_READ,
    GRAPH_APP_ID,
    RBAC,
    to_consent,
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


def bash_values(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, str]:
    """Returns the values for a bash script; `pairs` are the valid ones, the one in use first."""
    lists = _lists(answers, pairs)
    values = {key: template_rendering.bash(text) for key, text in _texts(answers, pairs).items()}
    values |= {key: template_rendering.bash_words(texts) for key, texts in lists.items()}
    values["permission_ids"] = template_rendering.bash("\n".join(lists["permission_ids"]))
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
    names = to_consent(settings)
    comments = []
    for name in names:
        permission = APP_ROLES[name].permission
        comments += _commented(f"{name}: {permission.can}. It cannot {permission.cannot}.")
    if settings.fence.kind == RBAC:
        comments += [
            f"# Not {CALENDARS_READ}: Exchange grants that, within the fence.",
            "# A grant in Entra would cancel the fence.",
        ]
    return {
        "all_rooms": " = $true" if settings.room_list == ALL_ROOMS else "",
        "choose_cloud": "; ".join(tools.az_cloud),
        "choose_cloud_comment": "\n".join(f"#   {command}" for command in tools.az_cloud),
        "permission_names_plain": ", ".join(names) or "none",
        "permissions_comment": "".join(f"\n{comment}" for comment in comments),
    }


def _commented(text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent="#   ", subsequent_indent="#     ")


def _texts(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, str]:
    """Returns the texts that are quoted as literals, in either language."""
    settings = answers.settings
    tools = TOOLS[settings.cloud]
    from_list = settings.room_list if settings.room_list not in (None, ALL_ROOMS) else None
    return {
        "application_name": application_name(settings.name),
        "assignment_name": f"placed-{settings.name}-calendars-read",
        "calendars_read_id": APP_ROLES[CALENDARS_READ].id,
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
        "permission_names": ", ".join(to_consent(settings)) or "none",
        "redirect_uri": REDIRECT_URI,
        "resource_access": json.dumps(required_resource_access(settings), separators=(",", ":")),
        "room": settings.rooms[0] if settings.rooms else "",
        "scope_name": f"placed-{settings.name}-rooms",
        "tenant": settings.tenant,
    }


def _lists(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, list[str]]:
    settings = answers.settings
    return {
        "canaries": list(settings.fence.canaries),
        "certificates": [f"{one.name}.crt" for one in pairs],
        "identifiers": [one.identifier for one in pairs],
        "old_certificates": [f"{one.name}.crt" for one in pairs[:-1]],
        "old_identifiers": [one.identifier for one in pairs[:-1]],
        "old_thumbprints": [one.thumbprint for one in pairs[:-1]],
        "permission_ids": sorted(APP_ROLES[name].id for name in to_consent(settings)),
        "rooms": list(settings.rooms),
        "thumbprints": [one.thumbprint for one in pairs],
    }
