"""The simulated tenant: its organization, its calendars, its app registrations and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from placed_microsoft365.simulator.faults.fault_switches import Faults
from placed_microsoft365.simulator.graph.throttling import Limits, Throttle
from placed_microsoft365.simulator.login.access_tokens import Tokens
from placed_microsoft365.simulator.login.redirect_uris import registrable
from placed_microsoft365.simulator.tenant.app_access import (
    LONG_AGO,
    READ,
    AccessPolicy,
    App,
    RoleAssignment,
)
from placed_microsoft365.simulator.tenant.app_credentials import RegisteredCertificate, Secret
from placed_microsoft365.simulator.tenant.event_writes import EventWrites
from placed_microsoft365.simulator.tenant.organization import NO_DELAY, wall_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from placed_microsoft365.simulator.tenant.app_access import CalendarsRole
    from placed_microsoft365.simulator.tenant.groups import Group


class ConsentAnswer(StrEnum):
    """What the administrator does at the page."""

    GRANTED = "granted"
    DECLINED = "declined"
    NOT_AN_ADMINISTRATOR = "not-an-administrator"  # no redirect: the page asks for approval
    WRONG_STATE = "wrong-state"  # granted, but the redirect carries another state: a forged answer


class Tenant(EventWrites):
    """A Microsoft 365 tenant in memory; no network, no files. `Simulator` puts it on a socket.

    Attributes:
        domain, tenant_id: either names the tenant in a URL.
        now: the services' clock, aware UTC: of tokens' lifetimes, policies' delays, limits and `Date`.
        login_clock: what the times in a client assertion are held against: `now`, unless it is set. MSAL by
            itself signs with the machine's clock; the driver signs with the time that `Date` shows.
        consent_answer: what the administrator does at the admin consent page.
        consent_delay: how long a consent that is given there takes to be in effect.
        strict_replay: refuse an assertion that is used a second time. MSAL does that, and Entra lets it.
        hides_users: to an application without a permission on users, members of groups are their type and id,
            and all else of them is null.
        sloppy_places: capacity is text and `isWheelchairAccessible` has a small c, as in Microsoft's sample.
        faults: the switches that make the services misbehave, see `Faults`.
        limits: of the throttle, see `Limits`.
        tokens: `tokens.lifetime` is that of the tokens issued from now on.
    """

    def __init__(self, domain: str = "contoso.example", now: Callable[[], datetime] = wall_clock) -> None:
        super().__init__(domain, now)
        self.apps: dict[str, App] = {}
        self.login_clock: Callable[[], datetime] = now
        self.strict_replay = False
        self.hides_users = False
        self.sloppy_places = False
        self.consent_answer = ConsentAnswer.GRANTED
        self.consent_delay = NO_DELAY
        self.faults = Faults(self.domain)
        self.throttle = Throttle()
        self.tokens = Tokens(tenant_id=self.tenant_id, now=now)

    @property
    def limits(self) -> Limits:
        """The throttle's limits; its fields may be set."""
        return self.throttle.limits

    def is_named(self, name: str) -> bool:
        """Whether a URL that names a tenant means this one."""
        return name.lower() in (self.domain, self.tenant_id)

    def register_app(  # noqa: PLR0913 - the parts of a registration
        self,
        client_id: str | None = None,
        *,
        secrets: Iterable[str | Secret] = (),
        certificates: Iterable[bytes] = (),
        roles: Iterable[str] = (),
        requested: Iterable[str] = (),
        redirect_uris: Iterable[str] | None = None,
        name: str = "placed",
    ) -> App:
        """Register an app; `roles` are consented at once, `requested` only once an administrator agrees.

        Without `redirect_uris` the consent page takes any.
        `certificates` are PEM files; a private key beside the certificate in one is passed over.

        Raises:
            ValueError: there is an app with that client id, or a certificate or redirect URI is invalid.
        """
        if client_id is not None and client_id.lower() in self.apps:
            raise ValueError(f"there is an app {client_id} already")
        app = App(
            client_id=(client_id if client_id is not None else self.new_id("app")).lower(),
            object_id=self.new_id("service-principal"),
            name=name,
            secrets=[Secret(secret) if isinstance(secret, str) else secret for secret in secrets],
            certificates=[RegisteredCertificate.from_pem(pem) for pem in certificates],
            roles=dict.fromkeys(roles, LONG_AGO),
            redirect_uris=None if redirect_uris is None else registrable(redirect_uris),
        )
        app.requested = {*requested, *app.roles}
        self.apps[app.client_id] = app
        return app

    def remove_app(self, app: App) -> None:
        """The registration is gone, with all that was granted to it: AADSTS700016."""
        del self.apps[app.client_id]

    def add_certificate(self, app: App, pem: bytes) -> RegisteredCertificate:
        """Register another certificate beside those that are there.

        Raises:
            ValueError: it is none, or not with an RSA key, or is registered already.
        """
        certificate = RegisteredCertificate.from_pem(pem)
        if certificate.thumbprint in {known.thumbprint for known in app.certificates}:
            raise ValueError(f"certificate {certificate.thumbprint} is registered already")
        app.certificates.append(certificate)
        return certificate

    def remove_certificate(self, app: App, thumbprint: str) -> None:
        """Take a certificate away, by its thumbprint as Entra shows it.

        Raises:
            LookupError: the app has none with it.
        """
        kept = [known for known in app.certificates if known.thumbprint != thumbprint.upper()]
        if len(kept) == len(app.certificates):
            raise LookupError(f"no certificate {thumbprint!r} of the app {app.client_id}")
        app.certificates = kept

    def consent(self, app: App, *, delay: timedelta = NO_DELAY) -> None:
        """An administrator consents to all that the app asks for."""
        self.grant(app, *sorted(app.requested), delay=delay)

    def grant(self, app: App, *roles: str, delay: timedelta = NO_DELAY) -> None:
        """An administrator consents: tokens issued after the delay carry the roles.

        What was granted before stays in effect meanwhile.
        """
        effective = self.now() + delay
        for role in roles:
            app.roles[role] = min(app.roles.get(role, effective), effective)

    def revoke(self, app: App, *roles: str) -> None:
        """An administrator takes consent back: at once, for tokens already issued too."""
        for role in roles:
            app.roles.pop(role, None)

    def restrict(self, app: App, group: str | Group, *, delay: timedelta = NO_DELAY) -> None:
        """`New-ApplicationAccessPolicy -AccessRight RestrictAccess`: only the group, nested groups too.

        Raises:
            ValueError: the group is a room list, which cannot be the scope of an access policy.
        """
        self._add_policy(app, "RestrictAccess", group, delay)

    def deny(self, app: App, group: str | Group, *, delay: timedelta = NO_DELAY) -> None:
        """`New-ApplicationAccessPolicy -AccessRight DenyAccess`: not the group, whatever else is set."""
        self._add_policy(app, "DenyAccess", group, delay)

    def lift_restrictions(self, app: App) -> None:
        """Remove the app's access policies."""
        app.policies.clear()

    def assign_rbac(
        self,
        app: App,
        group: str | Group,
        *,
        role: CalendarsRole = READ,
        delay: timedelta = NO_DELAY,
    ) -> None:
        """Assign a role of calendars in Exchange for the direct members of the group."""
        app.assignments.append(RoleAssignment(self.group(group).address, self.now() + delay, role))

    def remove_rbac(self, app: App) -> None:
        """Remove what was assigned to the app in Exchange."""
        app.assignments.clear()

    def expire_secrets(self, app: App) -> None:
        """The app's secrets are past their end from this moment on: AADSTS7000222."""
        app.secrets = [replace(secret, expires=self.now()) for secret in app.secrets]

    def expire_tokens(self, app: App) -> None:
        """The tokens issued so far are refused with 401; a new one is good."""
        self.tokens.withdraw(app.client_id)

    def _add_policy(
        self, app: App, right: Literal["RestrictAccess", "DenyAccess"], group: str | Group, delay: timedelta
    ) -> None:
        target = self.group(group)
        if target.room_list:
            raise ValueError(f"{target.address} is a room list; an access policy takes a security group")
        app.policies.append(AccessPolicy(right, target.address, self.now() + delay))
