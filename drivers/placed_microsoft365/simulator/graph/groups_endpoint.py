"""Groups and their members in the directory (Microsoft: group-list, group-list-transitivemembers)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.graph.query_options import (
    BadQueryError,
    next_link,
    parse_query,
    selection,
    whole_number,
)
from placed_microsoft365.simulator.http_messages import GRAPH_JSON, Request, graph_error
from placed_microsoft365.simulator.tenant.app_access import GROUP_ROLES, USER_ROLES
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from placed_microsoft365.simulator.tenant.groups import Group
    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox
    from placed_microsoft365.simulator.tenant.tenant import Tenant

    Answer = Callable[[Request, Mapping[str, str]], Reply]

USER = "#microsoft.graph.user"
GROUP = "#microsoft.graph.group"
DEFAULT_TOP = 100
MOST_TOP = 999
MAIL_FILTER = re.compile(r"mail\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)

USER_FIELDS = frozenset(
    """id businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage
    surname userPrincipalName accountEnabled userType""".split()  # noqa: SIM905
)
USER_ON_REQUEST = frozenset({"accountEnabled", "userType"})
GROUP_FIELDS = frozenset(
    """id displayName description mail mailEnabled mailNickname securityEnabled groupTypes visibility
    proxyAddresses""".split()  # noqa: SIM905
)


class Directory:
    """The directory part of Graph, for the groups of one tenant."""

    def __init__(self, tenant: Tenant, base_url: str) -> None:
        self._tenant = tenant
        self._base_url = base_url

    def groups(self, request: Request, query_text: str) -> Reply:
        """`GET /groups?$filter=mail eq '…'`; without a filter all groups."""
        return self._guarded(request, query_text, self._groups)

    def group(self, request: Request, group_id: str, query_text: str) -> Reply:
        """`GET /groups/{id}`."""

        def answer(request: Request, query: Mapping[str, str]) -> Reply:
            group = self._by_id(group_id)
            if group is None:
                return _not_found(request, group_id)
            chosen = selection(query, GROUP_FIELDS, "Microsoft.DirectoryServices.Group")
            context = {"@odata.context": f"{self._base_url}/v1.0/$metadata#groups/$entity"}
            return Reply(
                200, msgspec.json.encode({**context, **_select(_group_fields(group), chosen)}), GRAPH_JSON
            )

        return self._guarded(request, query_text, answer)

    def members(
        self, request: Request, group_id: str, query_text: str, *, transitive: bool, users_only: bool
    ) -> Reply:
        """Members; the cast to users is an advanced query and wants its header and `$count=true`."""

        def answer(request: Request, query: Mapping[str, str]) -> Reply:
            group = self._by_id(group_id)
            if group is None:
                return _not_found(request, group_id)
            advanced = (
                request.headers.get("consistencylevel", "").lower() == "eventual"
                and query.get("$count", "").lower() == "true"
            )
            if users_only and not advanced:
                raise BadQueryError("Request_UnsupportedQuery", "Unsupported Query.")
            found = list(self._walk(group, transitive=transitive))
            if self._tenant.hides_users and not request.caller.roles & USER_ROLES:
                found = [_hidden(member) if member["@odata.type"] == USER else member for member in found]
            if users_only:
                found = [member for member in found if member["@odata.type"] == USER]
            chosen = selection(query, USER_FIELDS | GROUP_FIELDS, "Microsoft.DirectoryServices.User")
            value = [_select(member, chosen) for member in found]
            if chosen is None:
                value = [
                    {name: field for name, field in member.items() if name not in USER_ON_REQUEST}
                    for member in value
                ]
            return self._page(request, query, value, "users" if users_only else "directoryObjects")

        return self._guarded(request, query_text, answer)

    def _groups(self, request: Request, query: Mapping[str, str]) -> Reply:
        found = list(self._tenant.groups.values())
        text = query.get("$filter")
        if text is not None:
            wanted = MAIL_FILTER.fullmatch(text.strip())
            if wanted is None:
                raise BadQueryError(
                    "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {text}"
                )
            address = wanted[1].replace("''", "'").lower()
            found = [group for group in found if group.address == address]
        chosen = selection(query, GROUP_FIELDS, "Microsoft.DirectoryServices.Group")
        value = [_select(_group_fields(group), chosen) for group in found]
        return self._page(request, query, value, "groups")

    def _guarded(self, request: Request, query_text: str, answer: Answer) -> Reply:
        if not request.caller.roles & GROUP_ROLES:
            return graph_error(
                request,
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
            )
        try:
            return answer(request, parse_query(query_text))
        except BadQueryError as error:
            return graph_error(request, 400, error.code, str(error))

    def _page(
        self,
        request: Request,
        query: Mapping[str, str],
        value: Sequence[Mapping[str, object]],
        context: str,
    ) -> Reply:
        """One page; the directory goes on with an opaque `$skiptoken` and does not know `$skip`."""
        if "$skip" in query:
            raise BadQueryError("Request_BadRequest", "'$skip' is not supported by the service.")
        top = whole_number(query, "$top", DEFAULT_TOP, least=1, most=MOST_TOP)
        token = query.get("$skiptoken", "m~0").removeprefix("m~")
        if not token.isdecimal():
            raise BadQueryError("Directory_ExpiredPageToken", "The specified page token value is invalid.")
        skip = int(token)
        document: dict[str, object] = {"@odata.context": f"{self._base_url}/v1.0/$metadata#{context}"}
        if query.get("$count", "").lower() == "true":
            document["@odata.count"] = len(value)
        if skip + top < len(value):
            url = f"{self._base_url}/v1.0{request.target.partition('?')[0]}"
            document["@odata.nextLink"] = next_link(url, query, skiptoken=f"m~{skip + top}")
        document["value"] = value[skip : skip + top]
        return Reply(200, msgspec.json.encode(document), GRAPH_JSON, (("x-ms-resource-unit", "3"),))

    def _by_id(self, group_id: str) -> Group | None:
        wanted = group_id.lower()
        return next((group for group in self._tenant.groups.values() if group.group_id == wanted), None)

    def _walk(self, group: Group, *, transitive: bool) -> Iterator[dict[str, object]]:
        """Every member once, the groups among them too."""
        seen = {group.address}
        pending = [group]
        while pending:
            for address in pending.pop(0).listed():
                if address in seen:
                    continue
                seen.add(address)
                inner = self._tenant.groups.get(address)
                if inner is None:
                    yield {"@odata.type": USER, **_user_fields(self._tenant.mailboxes[address])}
                    continue
                yield {"@odata.type": GROUP, **_group_fields(inner)}
                if transitive:
                    pending.append(inner)


def _not_found(request: Request, group_id: str) -> Reply:
    return graph_error(
        request,
        404,
        "Request_ResourceNotFound",
        f"Resource '{group_id}' does not exist or one of its queried reference-property objects are not "
        "present.",
    )


def _select(fields: Mapping[str, object], chosen: frozenset[str] | None) -> dict[str, object]:
    if chosen is None:
        return dict(fields)
    return {name: value for name, value in fields.items() if name in chosen or name.startswith("@")}


def _hidden(member: Mapping[str, object]) -> dict[str, object]:
    """A member that the application may not read (Microsoft: group-list-transitivemembers)."""
    return {name: field if name in ("@odata.type", "id") else None for name, field in member.items()}


def _user_fields(mailbox: Mailbox) -> dict[str, object]:
    """A room is a user object like any other, with a disabled account."""
    return {
        "id": mailbox.user_id,
        "businessPhones": [],
        "displayName": mailbox.name,
        "givenName": None,
        "jobTitle": None,
        "mail": mailbox.address,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": None,
        "userPrincipalName": mailbox.upn,
        "accountEnabled": mailbox.room is None,
        "userType": "Member",
    }


def _group_fields(group: Group) -> dict[str, object]:
    return {
        "id": group.group_id,
        "displayName": group.name,
        "description": None,
        "mail": group.address,
        "mailEnabled": True,
        "mailNickname": group.address.partition("@")[0],
        "securityEnabled": not group.room_list,
        "groupTypes": [],
        "visibility": None,
        "proxyAddresses": [f"SMTP:{group.address}"],
    }
