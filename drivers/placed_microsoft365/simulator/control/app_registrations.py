"""App registrations and their credentials. No answer ever holds a secret."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.control.manifest_parser import read_manifest, requested_roles
from placed_microsoft365.simulator.login.redirect_uris import registrable

if TYPE_CHECKING:
    from placed_microsoft365.simulator.control.control_request import Call
    from placed_microsoft365.simulator.tenant.app_access import App
    from placed_microsoft365.simulator.tenant.tenant import Tenant


class NewApp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app to register; as a real one it has no redirect URI but those that are named."""

    name: str
    client_id: str | None = None
    requested: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()


class NewCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another certificate; a private key in the PEM is passed over."""

    pem: str


class CertificateState(msgspec.Struct, frozen=True):
    """A certificate as Entra shows it."""

    thumbprint: str
    expires: datetime


class AppState(msgspec.Struct, frozen=True):
    """An app as it is listed; `roles` are in effect now, `secrets` is how many there are."""

    client_id: str
    object_id: str
    name: str
    enabled: bool
    requested: list[str]
    roles: list[str]
    certificates: list[CertificateState]
    secrets: int
    redirect_uris: list[str]


def answer(call: Call) -> object:
    """What is asked of apps."""
    tenant = call.tenant
    match call.key():
        case ("GET",):
            return [state_of(tenant, app) for app in tenant.apps.values()]
        case ("POST",):
            return state_of(tenant, _register(tenant, call.read(NewApp)))
        case ("GET", client_id):
            pass
        case ("DELETE", client_id):
            tenant.remove_app(app_of(tenant, client_id))
            return None
        case (_, client_id, _, *_):
            _change(call, app_of(tenant, client_id))
        case _:
            raise call.unknown
    return state_of(tenant, app_of(tenant, client_id))


def _change(call: Call, app: App) -> None:
    tenant = call.tenant
    match call.key(depth=2):
        case ("POST", "certificates"):
            tenant.add_certificate(app, call.read(NewCertificate).pem.encode())
        case ("DELETE", "certificates", thumbprint):
            tenant.remove_certificate(app, thumbprint)
        case ("POST", "manifest"):
            _apply(app, call.body)
        case ("POST", "enable" | "disable" as verb):
            app.disabled = verb == "disable"
        case ("POST", "expire-secrets"):
            tenant.expire_secrets(app)
        case ("POST", "expire-tokens"):
            tenant.expire_tokens(app)
        case _:
            raise call.unknown


def app_of(tenant: Tenant, client_id: str) -> App:
    """The app with that client id.

    Raises:
        LookupError: there is none.
    """
    try:
        return tenant.apps[client_id.lower()]
    except KeyError:
        raise LookupError(f"there is no app {client_id!r}") from None


def state_of(tenant: Tenant, app: App) -> AppState:
    """The app as it is listed."""
    return AppState(
        client_id=app.client_id,
        object_id=app.object_id,
        name=app.name,
        enabled=not app.disabled,
        requested=sorted(app.requested),
        roles=app.granted(tenant.now()),
        certificates=[CertificateState(known.thumbprint, known.expires) for known in app.certificates],
        secrets=len(app.secrets),
        redirect_uris=sorted(app.redirect_uris or ()),
    )


def _register(tenant: Tenant, new: NewApp) -> App:
    return tenant.register_app(
        new.client_id,
        name=new.name,
        requested=new.requested,
        certificates=[pem.encode() for pem in new.certificates],
        secrets=new.secrets,
        redirect_uris=new.redirect_uris,
    )


def _apply(app: App, body: bytes) -> None:
    """Sets the requested permissions to those of the manifest; what was granted stays."""
    manifest = read_manifest(body)
    requested = requested_roles(manifest.required_resource_access)
    if manifest.redirect_uris is not None:
        app.redirect_uris = registrable(manifest.redirect_uris)
    app.requested = requested
