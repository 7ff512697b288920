"""The admin consent pages, where an administrator's browser goes and from where it is sent back.

Microsoft: v2-admin-consent for `/{tenant}/v2.0/adminconsent`, v2-oauth2-client-creds-grant-flow for the older
`/{tenant}/adminconsent`. What the administrator answers is set beforehand: `tenant.consent_answer`, and so is
how long it takes until that is in effect: `tenant.consent_delay`.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from placed_microsoft365.simulator.login.redirect_uris import as_sent, is_one_of
from placed_microsoft365.simulator.tenant.tenant import ConsentAnswer
from placed_simulator.http_messages import HTML, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed_microsoft365.simulator.tenant.app_access import App
    from placed_microsoft365.simulator.tenant.tenant import Tenant

OK = 200
FOUND = 302
ANY_TENANT = frozenset({"organizations", "common"})


def consent_page(tenant: Tenant, name: str, target: str, *, version: int) -> Reply:
    """The page for the tenant of that name; a redirect, or a page with the error."""
    query = {key: values[-1] for key, values in parse_qs(urlsplit(target).query).items()}
    app = tenant.apps.get(query.get("client_id", "").lower())
    if app is None:
        return _page(f"AADSTS700016: Application '{query.get('client_id', '')}' was not found.")
    problem = _problem(tenant, app, name, query, version)
    if problem is not None:
        return _page(problem)
    answer = tenant.consent_answer
    if answer is ConsentAnswer.NOT_AN_ADMINISTRATOR:
        return _page("Need admin approval", status=OK)
    state = "forged" if answer is ConsentAnswer.WRONG_STATE else query.get("state", "")
    if answer is ConsentAnswer.DECLINED:
        return _redirect(query["redirect_uri"], state, _declined(version))
    tenant.consent(app, delay=tenant.consent_delay)
    granted = {"admin_consent": "True", "tenant": tenant.tenant_id}
    if version > 1:
        granted["scope"] = query["scope"]
    return _redirect(query["redirect_uri"], state, granted)


def _problem(tenant: Tenant, app: App, name: str, query: Mapping[str, str], version: int) -> str | None:
    """What is wrong with the address that the administrator was sent to."""
    allowed = ANY_TENANT if version == 1 else ANY_TENANT - {"common"}
    if not tenant.is_named(name) and name not in allowed:
        return f"AADSTS90002: Tenant '{name}' not found."
    redirect = query.get("redirect_uri", "")
    if app.redirect_uris is not None and not app.redirect_uris:
        return "AADSTS500113: No reply address is registered for the application."
    if not redirect or (app.redirect_uris is not None and not is_one_of(redirect, app.redirect_uris)):
        return f"AADSTS50011: The redirect URI '{redirect}' does not match those of the application."
    if version > 1 and not query.get("scope", "").endswith("/.default"):
        return "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
    return None


def _declined(version: int) -> dict[str, str]:
    if version == 1:
        return {"error": "permission_denied", "error_description": "The admin canceled the request"}
    return {
        "admin_consent": "True",
        "error": "consent_required",
        "error_description": "AADSTS65004: The resource owner or authorization server denied the request.",
    }


def _redirect(uri: str, state: str, answer: dict[str, str]) -> Reply:
    separator = "&" if urlsplit(uri).query else "?"
    whole = {**answer, **({"state": state} if state else {})}
    return Reply(FOUND, headers=(("Location", f"{as_sent(uri)}{separator}{urlencode(whole)}"),))


def _page(message: str, *, status: int = 400) -> Reply:
    head = "<html><head><title>Sign in to your account</title></head>"
    text = f"{head}<body>{html.escape(message)}</body></html>"
    return Reply(status, text.encode(), HTML)
