"""OpenID configuration and the client credentials grant (Microsoft: v2-oauth2-client-creds-grant-flow)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote_plus, urlsplit

import jwt

from placed_microsoft365.simulator.login.aadsts_errors import LoginRefusedError, login_error
from placed_simulator.http_messages import JSON, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed_microsoft365.simulator.tenant.app_access import App
    from placed_microsoft365.simulator.tenant.app_credentials import RegisteredCertificate
    from placed_microsoft365.simulator.tenant.tenant import Tenant

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLOCK_SKEW = timedelta(minutes=5)
DEFAULT_SCOPE = "/.default"


@dataclass(slots=True)
class Login:
    """The login host of one tenant, reachable at `base_url`."""

    tenant: Tenant
    base_url: str
    _assertions: dict[tuple[str, str], str] = field(default_factory=dict)

    def openid_configuration(self, name: str) -> Reply:
        """What MSAL asks first; like Entra it answers a domain with URLs that carry the tenant's GUID."""
        if not self.tenant.is_named(name):
            return self._refuse(LoginRefusedError(90002), name, {})
        host = f"{self.base_url}/{self.tenant.tenant_id}"
        document = {
            "token_endpoint": f"{host}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "issuer": f"{host}/v2.0",
            "authorization_endpoint": f"{host}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{host}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{host}/discovery/v2.0/keys",
            "tenant_region_scope": "EU",
        }
        return Reply(200, json.dumps(document).encode(), JSON)

    def token(self, name: str, form_body: bytes, authorization: str | None) -> Reply:
        """Answer a token request; `name` is the tenant in the path, `form_body` a urlencoded form."""
        form = {key: values[-1] for key, values in parse_qs(form_body.decode("utf-8", "replace")).items()}
        form = _with_basic_credentials(form, authorization)
        try:
            return self._grant(name, form)
        except LoginRefusedError as refusal:
            return self._refuse(refusal, name, form)

    def refuse(self, number: int, name: str) -> Reply:
        """The answer of a fault that asks for this AADSTS error."""
        return self._refuse(LoginRefusedError(number), name, {})

    def _grant(self, name: str, form: Mapping[str, str]) -> Reply:
        if not self.tenant.is_named(name):
            raise LoginRefusedError(90002)
        if form.get("grant_type") != "client_credentials":
            raise LoginRefusedError(70003)
        for wanted in ("client_id", "scope"):
            if wanted not in form:
                raise LoginRefusedError(900144, wanted)
        app = self.tenant.apps.get(form["client_id"].lower())
        if app is None:
            raise LoginRefusedError(700016)
        if app.disabled:
            raise LoginRefusedError(7000112)
        by_certificate = self._authenticate(app, form)
        self._check_scope(form["scope"])
        tenant = self.tenant
        token = tenant.tokens.issue(
            app, self.base_url, by_certificate=by_certificate, number=tenant.next_number()
        )
        seconds = int(tenant.tokens.lifetime.total_seconds())
        answer = {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": token,
        }
        return Reply(200, json.dumps(answer).encode(), JSON)

    def _check_scope(self, scope: str) -> None:
        resource = scope.removesuffix(DEFAULT_SCOPE)
        if resource == scope or " " in scope.strip():
            raise LoginRefusedError(70011)
        if resource.rstrip("/").lower() != self.base_url:
            raise LoginRefusedError(500011)

    def _authenticate(self, app: App, form: Mapping[str, str]) -> bool:
        """True if a certificate proved the app, False if a secret did."""
        if "client_assertion" in form:
            if form.get("client_assertion_type") != JWT_BEARER:
                raise LoginRefusedError(50012)
            self._check_assertion(app, form["client_assertion"])
            return True
        if "client_secret" not in form:
            raise LoginRefusedError(7000218)
        now = self.tenant.now()
        matching = [secret for secret in app.secrets if secret.value == form["client_secret"]]
        if not matching:
            raise LoginRefusedError(7000215)
        if all(secret.expires is not None and secret.expires <= now for secret in matching):
            raise LoginRefusedError(7000222)
        return False

    def _check_assertion(self, app: App, assertion: str) -> None:
        """Verify a client assertion (Microsoft: certificate-credentials)."""
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError as error:
            raise LoginRefusedError(50012) from error
        certificate = _certificate_of(app, header)
        if certificate.expires <= self.tenant.login_clock():
            raise LoginRefusedError(700027, "[Reason - The key used is expired.]")
        try:
            claims = jwt.decode(
                assertion,
                certificate.public_key,
                algorithms=["PS256", "RS256"],
                options={
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "require": ["aud", "iss", "sub", "exp", "jti"],
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise LoginRefusedError(50013, f"claim {error.claim} is missing.") from error
        except jwt.InvalidTokenError as error:
            raise LoginRefusedError(700027) from error
        self._check_claims(app, claims)
        self._check_replay(app, str(claims["jti"]), assertion)

    def _check_claims(self, app: App, claims: Mapping[str, object]) -> None:
        client_id = app.client_id
        if str(claims["iss"]).lower() != client_id or str(claims["sub"]).lower() != client_id:
            raise LoginRefusedError(50013, "issuer and subject have to be the client id.")
        audience = urlsplit(str(claims["aud"]))
        named = audience.path.removesuffix("/oauth2/v2.0/token").strip("/")
        if f"{audience.scheme}://{audience.netloc}" != self.base_url or not self.tenant.is_named(named):
            raise LoginRefusedError(50013, "the audience is not this token endpoint.")
        now = self.tenant.login_clock().timestamp()
        skew = CLOCK_SKEW.total_seconds()
        begins = _seconds(claims.get("nbf", claims.get("iat", 0)))
        if not begins - skew <= now < _seconds(claims["exp"]) + skew:
            raise LoginRefusedError(700024)

    def _check_replay(self, app: App, jti: str, assertion: str) -> None:
        """MSAL sends one assertion for up to 540 s; a `jti` seen with another text is a replay though."""
        key = (app.client_id, jti)
        seen = self._assertions.setdefault(key, "")
        if seen and (seen != assertion or self.tenant.strict_replay):
            raise LoginRefusedError(50013, "the assertion was seen before.")
        self._assertions[key] = assertion

    def _refuse(self, refusal: LoginRefusedError, name: str, form: Mapping[str, str]) -> Reply:
        return login_error(
            refusal,
            tenant=name,
            client_id=form.get("client_id", ""),
            scope=form.get("scope", ""),
            now=self.tenant.now(),
            trace=self.tenant.new_id("trace"),
        )


def _certificate_of(app: App, header: Mapping[str, object]) -> RegisteredCertificate:
    sha256 = str(header.get("x5t#S256", "")).rstrip("=")
    sha1 = str(header.get("x5t", "")).rstrip("=")
    for certificate in app.certificates:
        if certificate.sha256 == sha256 or (not sha256 and certificate.sha1 == sha1):
            return certificate
    raise LoginRefusedError(700027)


def _seconds(claim: object) -> float:
    if isinstance(claim, int | float):
        return float(claim)
    raise LoginRefusedError(50013, "a time in it is no number.")


def _with_basic_credentials(form: dict[str, str], authorization: str | None) -> dict[str, str]:
    kind, _, encoded = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return form
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return form
    return {**form, "client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
