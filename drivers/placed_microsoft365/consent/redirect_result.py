"""Interprets the redirect of the consent page.

Source: Microsoft, "Admin consent on the Microsoft identity platform": success is `admin_consent`, `tenant`,
`scope` and `state`, failure `error`, `error_description` and `state`. The tenant in it proves nothing. The
description is not repeated here, because it may contain names.
"""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from placed.driver import Consent, ConsentAnswer, DriverError, Problem, Refused, UnexpectedAnswer
from placed.driver.network.response_decompression import ACCEPTED, content_of
from placed.driver.network.tls_and_proxy import not_reached, not_trusted, proxy_for, tls_context
from placed_microsoft365.auth.aadsts_codes import codes_in, token_error
from placed_microsoft365.consent.fresh_sign_in import fresh_sign_in
from placed_microsoft365.consent.grant_check import not_listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.driver import Surroundings
    from placed_microsoft365.settings import Microsoft365Settings

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ERROR = re.compile(r"[a-z_]{1,40}")
_DECLINED = frozenset({"consent_required", "permission_denied", "access_denied"})
_DECLINED_CODE = 65004
_AGAIN = "open the link again"
_LARGEST = 2**20  # bytes of a response
_TIMEOUT = aiohttp.ClientTimeout(total=20)


class _OpenIdConfiguration(msgspec.Struct):
    """The issuer `https://login.microsoftonline.com/<GUID>/v2.0`, also if the URL named a domain."""

    issuer: str


async def judge(
    settings: Microsoft365Settings, surroundings: Surroundings, answer: Mapping[str, str]
) -> ConsentAnswer:
    """See `placed.driver.ConsentFlow.judge`.

    Raises:
        DriverError: the tenant's GUID cannot be found out, or the sign-in that confirms the grant is refused
            permanently.
        SettingsError: a file in the settings is invalid.
    """
    if "error" in answer:
        return _failure(answer)
    if answer.get("admin_consent", "").lower() != "true":
        problem = Problem("", "that was not a redirect of the consent page", _AGAIN)
        return ConsentAnswer(Consent.UNKNOWN, problem)
    given_in = answer.get("tenant", "").lower()
    if given_in != await tenant_id(settings):
        named = f" ({given_in})" if _GUID.fullmatch(given_in) else ""
        problem = Problem(
            "",
            f"consent was given in another tenant{named}, and so does not count",
            f"{_AGAIN} and sign in as an administrator of {settings.tenant}; in the other tenant, delete the "
            "enterprise application if it was made by mistake",
        )
        return ConsentAnswer(Consent.UNKNOWN, problem)
    return await _confirmed(settings, surroundings)


def _failure(answer: Mapping[str, str]) -> ConsentAnswer:
    codes = codes_in(answer.get("error_description", ""))
    error = answer["error"]
    reason = f"AADSTS{codes[0]}" if codes else error if _ERROR.fullmatch(error) else "no reason to show"
    if _DECLINED_CODE in codes or (error in _DECLINED and not codes):
        problem = Problem(
            "",
            f"the administrator declined ({reason})",
            "ask for the objections; the permissions and what they cannot do are in the message that "
            "`placed consent --request` writes",
        )
        return ConsentAnswer(Consent.DECLINED, problem)
    known = token_error(codes, error, HTTPStatus.BAD_REQUEST).problem.remedy
    text = f"the consent page ended with an error ({reason}), and nothing was granted"
    return ConsentAnswer(Consent.UNKNOWN, Problem("", text, known or _AGAIN))


async def _confirmed(settings: Microsoft365Settings, surroundings: Surroundings) -> ConsentAnswer:
    """Confirms a consent that the redirect reports with a fresh token."""
    try:
        async with fresh_sign_in(settings, surroundings) as attempt:
            missing = await attempt.not_listed()
    except Refused:
        raise
    except DriverError as error:
        text = f"consent was given; whether it is in effect could not be checked: {error}"
        return ConsentAnswer(Consent.GRANTED, Problem("", text, error.problem.remedy))
    if missing:
        problem = not_listed(missing).problem
        text = f"consent was given, and is not in effect yet: {problem.text}"
        return ConsentAnswer(Consent.GRANTED, replace(problem, text=text))
    text = "consent was given, and the token lists it"
    return ConsentAnswer(Consent.GRANTED, Problem("", text), effective=True)


async def tenant_id(settings: Microsoft365Settings) -> str:
    """Returns the GUID of the settings' tenant in lower case; for a domain it asks the login host.

    Raises:
        DriverError: it cannot be found out.
        SettingsError: the CA file is invalid.
    """
    named = settings.tenant.lower()
    if _GUID.fullmatch(named):
        return named
    url = f"{settings.login_url}/{named}/v2.0/.well-known/openid-configuration"
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls_context(settings.ca_file)),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": ACCEPTED},
                auto_decompress=False,
                timeout=_TIMEOUT,
            ) as session,
            session.get(url, proxy=proxy_for(settings.login_url), allow_redirects=False) as response,
        ):
            status, body = response.status, await content_of(response, _LARGEST)
    except aiohttp.ClientConnectorCertificateError:
        raise not_trusted(settings.login_url) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise not_reached("the login host", settings.login_url, error) from None
    if status != HTTPStatus.OK:
        raise token_error(codes_in(body.decode("utf-8", "replace")), "", status)
    try:
        issuer = msgspec.json.decode(body, type=_OpenIdConfiguration).issuer.lower()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        issuer = ""
    found = _GUID.search(issuer)
    if found is None:
        raise UnexpectedAnswer("the login host does not report the tenant's GUID")
    return found[0]
