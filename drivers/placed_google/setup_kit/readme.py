"""The kit's pages: README.md with the steps, and who runs each; fence.md with the canaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver.kit_templates import Templates, wrapped
from placed_google.setup_kit.template_values import lists_rooms, services_text, token_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from placed_google.setup_kit.questionnaire import Answers

_TEMPLATES = Templates("placed_google.setup_kit")
_CALENDAR_ADMIN = "an administrator with the privileges of Calendar"
_SUPER_ADMIN = "a super administrator"
_MAKES = "nothing: makes a service account and its key"
_SHARES = "`share-rooms.gs` or `share-rooms-gam.sh`"
_Step = tuple[tuple[str, ...], tuple[str, ...]]  # its parts of the page, and its row in the table


def next_steps(answers: Answers, *, renew: bool) -> tuple[str, ...]:
    """Returns the next steps for the terminal; README.md explains them."""
    settings, key_file = answers.settings, _key_file(answers)
    name = settings.name
    table = "the table in placed.toml" if answers.actions else "placed.toml"
    if renew:
        return (
            f"run renew-key.sh: it makes another key, and that in {key_file} goes on working",
            f"configure the new file, and check with `placed doctor {name}` that it signs in with it",
            f"run renew-key.sh --retire {key_file}: it removes the old key at Google",
        )
    then = "adds the row of domain-wide delegation" if answers.delegated else "runs share-rooms.gs"
    if lists_rooms(answers):
        then += ", and assigns the role for the list of rooms"
    return (
        "run create-project.sh, in Cloud Shell or where gcloud is; README.md explains everything",
        f"the administrator of Google Workspace {then}",
        f"put {key_file} and {table} on the server",
        f"run `placed doctor {name}`: it reports what is missing",
    )


def readme(answers: Answers, client_id: str | None) -> str:
    """Returns README.md; `client_id` is the account's number, None if it is not known yet."""
    values = _values(answers, client_id)
    steps = list(_steps(answers))
    mode = _mode(answers)
    values |= {
        "what_it_gets": _TEMPLATES.render(f"readme/gets-{mode}.md", values).strip(),
        "cannot": _TEMPLATES.render(f"readme/cannot-{mode}.md", values).strip(),
    }
    return _page("top", steps, ("server", "renewing", "keys-forbidden", "keyless", f"undo-{mode}"), values)


def actions_readme(answers: Answers, client_id: str | None) -> str:
    """Returns README.md for the account of actions; see `readme`."""
    values = _values(answers, client_id)
    share = (*(("share-group",) if answers.by_group else ()), "actions-share", "actions-cap")
    granted = "changing the calendars of the rooms"
    steps: list[_Step] = [
        (("project",), ("`create-project.sh`", "an Owner of the project", _MAKES, "at once")),
        (share, (_SHARES, _CALENDAR_ADMIN, granted, "some minutes")),
    ]
    behind = ("actions-server", "renewing", "keys-forbidden", "actions-undo")
    return _page("actions-top", steps, behind, values)


def _page(top: str, steps: Sequence[_Step], behind: Iterable[str], values: Mapping[str, str]) -> str:
    """Returns the page: its top with the table of the steps, the steps, and what is behind them."""
    rows = [f"| {n} | {' | '.join(row)} |" for n, (_, row) in enumerate(steps, start=1)]
    values = {**values, "steps": "\n".join(rows)}
    pages = [_TEMPLATES.render(f"readme/{top}.md", values)]
    for number, (parts, _) in enumerate(steps, start=1):
        pages += [_TEMPLATES.render(f"readme/{part}.md", {**values, "number": str(number)}) for part in parts]
    pages += [_TEMPLATES.render(f"readme/{part}.md", values) for part in behind]
    return wrapped("".join(pages))


def fence_page(answers: Answers, client_id: str | None) -> str:
    """Returns fence.md."""
    values = _values(answers, client_id)
    return wrapped(_TEMPLATES.render(f"fence-{_mode(answers)}.md", values))


def _steps(answers: Answers) -> Iterator[_Step]:
    """Yields each step."""
    settings = answers.settings
    yield ("project",), ("`create-project.sh`", "somebody who may create projects", _MAKES, "at once")
    if settings.subject is not None:
        granted = "acting for every user, with the scopes above"
        yield (
            ("delegation",),
            ("domain-wide delegation", _SUPER_ADMIN, granted, "minutes, at most a day"),
        )
    else:
        parts = (
            ("share-heading", "share-group", "share-cap")
            if answers.by_group
            else ("share-heading", "share-cap")
        )
        granted = "reading the calendars of the rooms"
        yield parts, (_SHARES, _CALENDAR_ADMIN, granted, "some minutes")
    if settings.customer is not None:
        yield (
            ("role",),
            ("an admin role", _SUPER_ADMIN, "reading the list of rooms and buildings", "some minutes"),
        )


def _values(answers: Answers, client_id: str | None) -> dict[str, str]:
    settings, account = answers.settings, answers.account
    scopes = token_scopes(answers)
    return {
        "account": account.address,
        "account_id": account.account_id,
        "admin_sdk_by_hand": ', and the same for "Admin SDK API"' if lists_rooms(answers) else "",
        "assign_role": f"Assign users, `{settings.subject}`"
        if settings.subject
        else f"Assign service accounts, `{account.address}`",
        "canaries": "\n".join(f"- {canary}" for canary in settings.fence.canaries),
        "client_id_text": f"`{client_id}`" if client_id else "(a number, which `create-project.sh` prints)",
        "directory_allowed": "" if settings.rooms else ", and to read the list of resources",
        "every_room": "every room",
        "key_file": _key_file(answers),
        "name": settings.name,
        "project": account.project,
        "scopes": "`, `".join(scopes),
        "scopes_with_commas": ",".join(scopes),
        "setup_command": f"placed setup {settings.name}{' --actions' if answers.actions else ''}",
        "table": "`[connections.actions]`" if answers.actions else "`placed.toml`",
        "services_text": services_text(answers),
        "share_with": answers.share_with,
        "share_with_text": f"the group `{answers.share_with}`" if answers.by_group else "this account",
        "subject": settings.subject or "",
    }


def _mode(answers: Answers) -> str:
    return "delegation" if answers.settings.subject else "sharing"


def _key_file(answers: Answers) -> str:
    if answers.settings.key_file is None:
        raise AssertionError("a kit has a key file")
    return answers.settings.key_file.name
