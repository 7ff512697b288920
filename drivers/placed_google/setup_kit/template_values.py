"""The values for the scripts' templates: quoted literals, and fixed texts of this driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver.kit_templates import bash, bash_words, javascript
from placed_google.auth import scopes
from placed_google.client_factory import CALENDAR_API, DIRECTORY_API
from placed_google.consent.grant import scopes_of
from placed_google.rooms import DEFAULT_QUERY

if TYPE_CHECKING:
    from placed_google.setup_kit.questionnaire import Answers

_IAM = "iam.googleapis.com"
# What the administrator's own Apps Script does: it changes the sharing of calendars, and lists resources.
_SHARING = "https://www.googleapis.com/auth/calendar.acls"


def bash_values(answers: Answers) -> dict[str, str]:
    """Returns the values for a bash script."""
    values = {key: bash(text) for key, text in _texts(answers).items()}
    values |= {key: bash_words(texts) for key, texts in _lists(answers).items()}
    return {**values, **_sharing_texts(answers), "services_comment": services_text(answers)}


def javascript_values(answers: Answers) -> dict[str, str]:
    """Returns the values for Apps Script and its manifest."""
    values = {key: javascript(text) for key, text in _texts(answers).items()}
    values |= {key: javascript(texts) for key, texts in _lists(answers).items()}
    services = ['{ "userSymbol": "Calendar", "version": "v3", "serviceId": "calendar" }']
    granted = [_SHARING]
    if not answers.settings.rooms:
        services.append('{ "userSymbol": "AdminDirectory", "version": "directory_v1", "serviceId": "admin" }')
        granted.append(scopes.RESOURCES)
    values |= _sharing_texts(answers)
    values["advanced_services"] = ",".join(f"\n      {service}" for service in services)
    values["oauth_scopes"] = ",".join(f'\n    "{scope}"' for scope in granted)
    return values


def services_text(answers: Answers) -> str:
    """Returns the names of the services that placed uses."""
    return "the Google Calendar API" + (" and the Admin SDK API" if lists_rooms(answers) else "")


def lists_rooms(answers: Answers) -> bool:
    """Returns whether this account lists the rooms of the directory; the account of actions does not."""
    return answers.settings.customer is not None and not answers.actions


def token_scopes(answers: Answers) -> tuple[str, ...]:
    """Returns the scopes that placed asks for, and that delegation has to grant."""
    return (scopes.CHANGE_EVENTS,) if answers.actions else tuple(scopes_of(answers.settings))


def access(answers: Answers) -> str:
    """Returns how the rooms are shared, in the words of Google Calendar."""
    return "Make changes to events" if answers.actions else "See all event details"


def _sharing_texts(answers: Answers) -> dict[str, str]:
    """Returns what comments and GAM's words are made of: fixed texts, which need no quotes."""
    if answers.actions:
        return {
            "access": access(answers),
            "purpose": "so that panels can book, extend and end meetings in them",
            "role_word": "writer",
        }
    return {"access": access(answers), "purpose": "so that it can read them", "role_word": "reader"}


def _texts(answers: Answers) -> dict[str, str]:
    """Returns the texts that are quoted as literals, in either language."""
    settings, account = answers.settings, answers.account
    if settings.key_file is None:
        raise AssertionError("a kit has a key file")
    return {
        "account": account.address,
        "account_id": account.account_id,
        "description": (
            "Books and ends meetings in the rooms that are shared with it, for panels"
            if answers.actions
            else "Reads the calendars of meeting rooms that are shared with it"
        ),
        "display_name": f"placed {answers.registration}",
        "key_file": settings.key_file.name,
        "name": answers.registration,
        "project": account.project,
        "project_has_others": "yes" if answers.actions else "no",
        "room_query": settings.room_query or DEFAULT_QUERY,
        "share_kind": "group" if answers.by_group else "user",
        "share_with": answers.share_with,
    }


def _lists(answers: Answers) -> dict[str, list[str]]:
    settings = answers.settings
    return {
        "rooms": list(settings.rooms),
        "services": [CALENDAR_API, *([DIRECTORY_API] if lists_rooms(answers) else []), _IAM],
    }
