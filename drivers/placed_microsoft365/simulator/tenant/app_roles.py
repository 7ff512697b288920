"""The app roles of Microsoft Graph by their ids, which is how a registration's manifest names them.

Source: microsoft-graph-devx-content, permissions-descriptions.json; the ids are the same in every tenant.
"""

from __future__ import annotations

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"

ROLE_NAMES = {
    "798ee544-9d2d-430c-a058-570e29e34338": "Calendars.Read",
    "ef54d2bf-783f-4e0f-bca1-3210c0444d99": "Calendars.ReadWrite",
    "8ba4a692-bc31-4128-9094-475872af8a53": "Calendars.ReadBasic.All",
    "913b9306-0ce1-42b8-9137-6a7df690a760": "Place.Read.All",
    "98830695-27a2-44f7-8c18-0c3ebc9698f6": "GroupMember.Read.All",
    "658aa5d8-239f-45c4-aa12-864f4fc7e490": "Member.Read.Hidden",
    "40f97065-369a-49f4-947c-6a255697ae91": "MailboxSettings.Read",
    "97235f07-e226-4f63-ace3-39588e11d3a1": "User.ReadBasic.All",
}


def role_name(resource: str, role_id: str) -> str:
    """The name of the app role with that id.

    Raises:
        ValueError: the resource is not Microsoft Graph, or it has no such role here.
    """
    if resource.lower() != GRAPH_APP_ID:
        raise ValueError(f"resourceAppId {resource}: only Microsoft Graph is here, {GRAPH_APP_ID}")
    try:
        return ROLE_NAMES[role_id.lower()]
    except KeyError:
        raise ValueError(f"id {role_id}: no app role of Microsoft Graph that is known here") from None
