"""The kit's README.md: the steps, who runs each, what it grants, and how to check it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver.kit_templates import wrapped
from placed_microsoft365.auth.application_permissions import APP_ROLES, RBAC
from placed_microsoft365.settings import ALL_ROOMS
from placed_microsoft365.setup_kit.app_manifest import application_name
from placed_microsoft365.setup_kit.key_and_certificate import KEY_SIZE
from placed_microsoft365.setup_kit.template_rendering import render
from placed_microsoft365.setup_kit.tool_cloud_names import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from placed_microsoft365.setup_kit.key_and_certificate import KeyPair
    from placed_microsoft365.setup_kit.questionnaire import Answers


def next_steps(answers: Answers, pairs: Sequence[KeyPair]) -> tuple[str, ...]:
    """Returns the next steps for the terminal; README.md explains them."""
    name, current, last = answers.settings.name, pairs[0].name, pairs[-1].name
    table = "[connections.actions] of placed.toml" if answers.actions else "placed.toml"
    if len(pairs) > 1:
        return (
            f"run register: it adds {last}.crt, and {current}.pem stays valid",
            f"configure {last}.pem, and check with `placed doctor {name}` that it signs in with it",
            "run retire-certificate: it removes the old one from the registration",
        )
    consent = "consent" if answers.permissions else ""
    first, last = ("", "auto-release.ps1") if answers.actions else ("room-group.ps1", "")
    order = ", then ".join(filter(None, (first, "register", _fence(answers), consent, last)))
    return (
        f"give the administrator this folder, but not {current}.pem; README.md explains everything",
        f"the administrator runs {order}",
        f"put {current}.pem and {table}, with the client id that register prints, on the server",
        f"run `placed doctor {name}`: it reports what is missing",
    )


def readme(answers: Answers, pairs: Sequence[KeyPair]) -> str:
    """Returns README.md; `pairs` are the valid ones, the one in use first."""
    rbac, consent = _is_rbac(answers), answers.permissions
    if answers.actions:
        return _join(_parts_of_actions(answers, renewing=len(pairs) > 1), _values(answers, pairs))
    parts = [
        "top",
        "steps",
        "consent-none" if not consent else "consent-rbac" if rbac else "consent-access-policy",
        "server",
        "certificate",
        *(["renewing"] if len(pairs) > 1 else []),
        "titles",
        "move-now" if rbac else "move-later",
        "undo",
    ]
    values = _values(answers, pairs)
    values["group_text"] = render(f"readme/{_group_part(answers)}.md", values).strip()
    return _join(parts, values)


def _parts_of_actions(answers: Answers, *, renewing: bool) -> list[str]:
    """Returns the parts of the README of the registration that writes."""
    return [
        "actions-top",
        "actions-steps",
        "actions-consent-access-policy" if answers.permissions else "actions-consent-none",
        "actions-auto-release",
        "actions-server",
        "certificate",
        *(["renewing"] if renewing else []),
        "actions-undo",
    ]


def _join(parts: Iterable[str], values: Mapping[str, str]) -> str:
    return "\n".join(wrapped(render(f"readme/{part}.md", values)) for part in parts)


def _values(answers: Answers, pairs: Sequence[KeyPair]) -> dict[str, str]:
    settings = answers.settings
    names = answers.permissions
    return {
        "application_name": application_name(answers),
        "cannot": "\n".join(
            f"- `{name}` cannot {APP_ROLES[name].permission.cannot}."
            for name in dict.fromkeys((answers.calendars, *names))
        ),
        "calendars": answers.calendars,
        "certificates": "\n".join(_rows_of_certificate(one, current=one is pairs[0]) for one in pairs),
        "client_option": "" if answers.client_id or _is_rbac(answers) else " -ClientId CLIENT-ID",
        "consent": " and ".join(f"`{name}`" for name in names),
        "fence": _fence(answers),
        "granted": _rows_of_grants(answers),
        "group": answers.group,
        "key_size": str(KEY_SIZE),
        "name": settings.name,
        "new": pairs[-1].name,
        "pem": f"{pairs[0].name}.pem",
        "renew": f"placed setup {settings.name}{' --actions' if answers.actions else ''} --renew",
        "room_list": settings.room_list or "",
        "sign_in": "\n".join(f"    {line}" for line in TOOLS[settings.cloud].sign_in(settings.tenant)),
        "steps": _rows_of_steps(answers),
        "tenant": settings.tenant,
    }


def _rows_of_grants(answers: Answers) -> str:
    by, limit = (
        ("Exchange, by RBAC for Applications", "a scope")
        if _is_rbac(answers)
        else ("Entra, by consent", "an application access policy")
    )
    rows = [f"| `{answers.calendars}` | {by} | the members of `{answers.group}`, limited by {limit} |"]
    rows += [
        f"| `{name}` | Entra, by consent | {APP_ROLES[name].permission.can} |"
        for name in answers.permissions
        if name != answers.calendars
    ]
    return "\n".join(rows)


def _rows_of_steps(answers: Answers) -> str:
    exchange, consent = "Exchange Administrator", answers.permissions
    registers = "Cloud Application Administrator"
    fence = f"`{_fence(answers)}`"
    reaches = f"{'reading and changing' if answers.actions else 'reading'} the group's calendars"
    rows = [
        *(
            []
            if answers.actions
            else [("`room-group.ps1`", exchange, "nothing: creates the group", "at once")]
        ),
        (
            "`register.sh` or `register.ps1`",
            registers,
            "nothing: a name, a certificate, the permissions to ask for",
            "at once",
        ),
        (fence, f"{exchange} and {registers}", reaches, "30 minutes to 2 hours")
        if _is_rbac(answers)
        else (fence, exchange, "nothing: limits what consent will grant", "can be more than an hour"),
    ]
    if consent:
        granted = " and ".join(f"`{name}`" for name in consent)
        rows.append(("consent", "Privileged Role Administrator", granted, "minutes"))
    if answers.actions:
        rows.append(("`auto-release.ps1`", exchange, "nothing", "up to 48 hours"))
    return "\n".join(f"| {number} | {' | '.join(row)} |" for number, row in enumerate(rows, start=1))


def _rows_of_certificate(pair: KeyPair, *, current: bool) -> str:
    state = "in use" if current else "next"
    return (
        f"| `{pair.name}.crt` | `{pair.thumbprint}` | {pair.expires:%Y-%m-%d} | {state} |\n"
        f"| | SHA-256 `{pair.sha256}` | | |"
    )


def _group_part(answers: Answers) -> str:
    if answers.settings.rooms:
        return "group-named"
    if answers.settings.room_group is not None:
        return "group-itself"
    return "group-all" if answers.settings.room_list == ALL_ROOMS else "group-listed"


def _is_rbac(answers: Answers) -> bool:
    return answers.settings.fence.kind == RBAC


def _fence(answers: Answers) -> str:
    return "fence-rbac.ps1" if _is_rbac(answers) else "fence-access-policy.ps1"
