"""Sign-in without a key: token exchange (RFC 8693), and the IAM Credentials API for a service account."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import jwt
import msgspec

from placed_google.simulator.api_messages import ApiError, invalid, unauthorized
from placed_google.simulator.token_host.assertion_check import TokenError
from placed_google.simulator.workspace.cloud_accounts import make_private_key
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from placed_google.simulator.workspace.cloud_accounts import ServiceAccount
    from placed_google.simulator.workspace.workspace import Workspace

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type
SUBJECT_TYPES = ("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token")
PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
IAM = "https://www.googleapis.com/auth/iam"
LONGEST = 3600  # seconds
METHOD = re.compile(r"/v1/projects/-/serviceAccounts/([^/:]+):(generateAccessToken|signJwt)")
_LIFETIME = re.compile(r"(\d+)s")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
JSON = "application/json; charset=UTF-8"


class NewToken(msgspec.Struct, frozen=True):
    """The body of `generateAccessToken`."""

    scope: tuple[str, ...] = ()
    lifetime: str = "3600s"
    delegates: tuple[str, ...] | None = None


class Payload(msgspec.Struct, frozen=True):
    """The body of `signJwt`."""

    payload: str
    delegates: tuple[str, ...] | None = None


def exchange(workspace: Workspace, body: bytes, content_type: str) -> Reply:
    """`POST /v1/token` of the security token service, as JSON or as a form."""
    asked = _parameters(body, content_type)
    if asked.get("grant_type") != EXCHANGE:
        raise TokenError("unsupported_grant_type", "Invalid grant_type.")
    identity = workspace.workload_identities.get(asked.get("audience", ""))
    if identity is None:
        raise TokenError("invalid_request", 'Invalid value for "audience".')
    if asked.get("subject_token_type") not in SUBJECT_TYPES:
        raise TokenError("invalid_request", 'Invalid value for "subject_token_type".')
    if asked.get("subject_token") not in identity.subject_tokens:
        raise TokenError("invalid_grant", "The given credential is rejected by the attribute condition.")
    scopes = asked.get("scope", PLATFORM).split()
    answer = {
        "access_token": workspace.tokens.issue(identity.principal, scopes),
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": int(workspace.tokens.lifetime.total_seconds()),
    }
    return Reply(200, msgspec.json.encode(answer), JSON)


def _parameters(body: bytes, content_type: str) -> dict[str, str]:
    """By their names in a form; in JSON they are `grantType` for `grant_type`."""
    if content_type.startswith("application/json"):
        try:
            document = msgspec.json.decode(body, type=dict[str, str])
        except msgspec.DecodeError:
            raise TokenError("invalid_request", "Invalid JSON payload received.") from None
        return {_CAMEL.sub("_", name).lower(): value for name, value in document.items()}
    return {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}


def credentials(workspace: Workspace, path: str, authorization: str, body: bytes) -> Reply:
    """A method of the IAM Credentials API for a service account."""
    found = METHOD.fullmatch(path)
    grant = workspace.tokens.read(authorization.removeprefix("Bearer "))
    if grant is None:
        raise unauthorized()
    account = workspace.accounts.get(found[1].lower()) if found is not None else None
    identities = workspace.workload_identities.values()
    identity = next((one for one in identities if one.principal == grant.email), None)
    allowed = account is not None and identity is not None and account.email in identity.accounts
    if found is None or account is None or not allowed or grant.scopes.isdisjoint({PLATFORM, IAM}):
        raise _denied("getAccessToken" if found is None or found[2] == "generateAccessToken" else "signJwt")
    if found[2] == "signJwt":
        return _sign(workspace, account, body)
    return _generate(workspace, account, body)


def _generate(workspace: Workspace, account: ServiceAccount, body: bytes) -> Reply:
    try:
        asked = msgspec.json.decode(body, type=NewToken)
    except msgspec.DecodeError as error:
        raise invalid("body", f"Invalid JSON payload received. {error}") from None
    seconds = _LIFETIME.fullmatch(asked.lifetime)
    if not asked.scope or seconds is None or not 0 < int(seconds[1]) <= LONGEST:
        raise ApiError(
            400, "badRequest", "Request contains an invalid argument.", rpc_status="INVALID_ARGUMENT"
        )
    expires = workspace.now() + timedelta(seconds=int(seconds[1]))
    answer = {
        "accessToken": workspace.tokens.issue(account.email, asked.scope, expires=expires),
        "expireTime": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Reply(200, msgspec.json.encode(answer), JSON)


def _sign(workspace: Workspace, account: ServiceAccount, body: bytes) -> Reply:
    """Signed by a key that never leaves Google."""
    try:
        payload = json.loads(msgspec.json.decode(body, type=Payload).payload)
    except (msgspec.DecodeError, ValueError):
        raise invalid("payload", "Invalid JSON payload received.") from None
    key_id = f"google-{workspace.domain}"
    if account.managed_key is None:
        account.managed_key = make_private_key()
        account.keys[key_id] = account.managed_key.public_key()
    signed = jwt.encode(payload, account.managed_key, algorithm="RS256", headers={"kid": key_id})
    return Reply(200, msgspec.json.encode({"keyId": key_id, "signedJwt": signed}), JSON)


def _denied(permission: str) -> ApiError:
    permission = f"iam.serviceAccounts.{permission}"
    reason = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": permission},
    }
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "forbidden",
        f"Permission '{permission}' denied on resource (or it may not exist).",
        rpc_status="PERMISSION_DENIED",
        details=(reason,),
    )
