"""The simulated Workspace: organisation, calendars, projects, service accounts, and what was granted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed_google.simulator.faults.workspace_faults import Faults
from placed_google.simulator.token_host.access_tokens import AccessTokens
from placed_google.simulator.workspace.booking import Bookings
from placed_google.simulator.workspace.calendar_model import Calendar, EventWrite, Kind, UnseenChange
from placed_google.simulator.workspace.calendar_sharing import AclRule, Role
from placed_google.simulator.workspace.cloud_accounts import (
    MOST_KEYS,
    Project,
    ServiceAccount,
    key_file_json,
    make_private_key,
)
from placed_google.simulator.workspace.organisation import wall_clock
from placed_google.simulator.workspace.request_quota import Limits, RequestQuota
from placed_google.simulator.workspace.tenant_answers import TenantAnswers
from placed_google.simulator.workspace.workload_identity import WorkloadIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from placed_google.simulator.workspace.calendar_sharing import ScopeType
    from placed_google.simulator.workspace.organisation import Person, SimRoom

UNLIMITED = Role.OWNER


class Workspace(Bookings):
    """A Google Workspace domain in memory; no network, no files. `Simulator` puts it on a socket.

    Attributes:
        domain, customer_id: what the Directory API knows it by.
        now: the services' clock, aware UTC: of tokens' lifetimes, quotas and `Date`.
        token_clock: what the times in an assertion are held against: `now`, unless it is set.
        clock_ahead: how far the services' `Date`, and the token host's clock, are ahead.
        administrators: the people who may see the directory's resources.
        external_limits: the most that anybody outside of the organisation may do, by kind of calendar:
            *External sharing options* of the administrator.
        answers: of what is not documented, see `TenantAnswers`.
        faults: the switches that make the hosts misbehave, see `Faults`.
        quota: how much may be asked, see `Limits`.
        most_on_a_page: pages hold no more events, however many are asked for.
        on_write: is called after each change of an event by an application.
        tokens: `tokens.lifetime` is that of the tokens issued from now on.
    """

    def __init__(self, domain: str = "fabrikam.example", now: Callable[[], datetime] = wall_clock) -> None:
        super().__init__(domain, now)
        self.token_clock: Callable[[], datetime] = now
        self.clock_ahead = timedelta(0)
        self.administrators: set[str] = set()
        self.workload_identities: dict[str, WorkloadIdentity] = {}
        self.projects: dict[str, Project] = {}
        self.accounts: dict[str, ServiceAccount] = {}
        self.external_limits = {Kind.PRIMARY: UNLIMITED, Kind.SECONDARY: UNLIMITED}
        self.answers = TenantAnswers()
        self.tokens = AccessTokens(now)
        self.faults = Faults(self.address)
        self.quota = RequestQuota()
        self.most_on_a_page = 2500
        self.on_write: Callable[[EventWrite], None] = lambda _write: None

    @property
    def limits(self) -> Limits:
        """The quota's limits; its fields may be set."""
        return self.quota.limits

    def add_project(self, project_id: str) -> Project:
        """A project with all APIs enabled; the one of that id if it exists already."""
        number = 100_000_000_000 + len(self.projects)
        return self.projects.setdefault(project_id, Project(id=project_id, number=number))

    def add_service_account(self, name: str = "placed", *, project: str = "placed-rooms") -> ServiceAccount:
        """A service account without keys, roles or delegation.

        Raises:
            ValueError: the project has one of that name.
        """
        owner = self.add_project(project)
        email = f"{name}@{owner.id}.iam.gserviceaccount.com"
        if email in self.accounts:
            raise ValueError(f"there is an account {email} already")
        account = ServiceAccount(
            email=email, client_id=str(int(self.new_id("client", 16), 16)).zfill(21), project=owner
        )
        self.accounts[email] = account
        return account

    def add_key(
        self, account: ServiceAccount, *, token_uri: str, private_key: RSAPrivateKey | None = None
    ) -> str:
        """Make a key; the JSON file that is downloaded.

        Raises:
            ValueError: the account has as many keys as it may have.
        """
        if len(account.keys) >= MOST_KEYS:
            raise ValueError(f"{account.email} has {MOST_KEYS} keys already")
        private = private_key if private_key is not None else make_private_key()
        key_id = self.new_id("key", 40)
        account.keys[key_id] = private.public_key()
        return key_file_json(account, key_id, private, token_uri)

    def account(self, email: str) -> ServiceAccount:
        """The service account with that address.

        Raises:
            LookupError: there is none.
        """
        try:
            return self.accounts[email.lower()]
        except KeyError:
            raise LookupError(f"there is no service account {email!r}") from None

    def remove_account(self, account: ServiceAccount) -> None:
        """The account is gone, and what was shared with it stays as it is."""
        del self.accounts[account.email]

    def add_workload_identity(
        self, *accounts: ServiceAccount, pool: str = "buildings", provider: str = "oidc"
    ) -> WorkloadIdentity:
        """A provider whose principals may use the accounts; give it `subject_tokens` to accept."""
        project = self.add_project("placed-rooms")
        audience = (
            f"//iam.googleapis.com/projects/{project.number}/locations/global"
            f"/workloadIdentityPools/{pool}/providers/{provider}"
        )
        identity = WorkloadIdentity(audience=audience, accounts={account.email for account in accounts})
        self.workload_identities[audience] = identity
        return identity

    def delegate(self, account: ServiceAccount, *scopes: str) -> None:
        """Domain-wide delegation: from now on the account may act as any user, within the scopes."""
        account.delegated |= set(scopes)

    def was_written(self, write: EventWrite) -> None:
        """An application has changed an event; lists show it after the delay that is set."""
        delay, event = self.answers.visible_after, write.before or write.after
        if delay and event is not None:
            now = self.now()
            write.calendar.unseen.append(UnseenChange(now, now + delay, event.id, write.before))
        self.on_write(write)

    def share(
        self,
        calendar: str | SimRoom | Person,
        with_whom: str | ServiceAccount,
        role: Role = Role.READER,
        *,
        scope: ScopeType = "user",
    ) -> AclRule:
        """Add an entry to the calendar's list, in place of one for the same."""
        value = with_whom if isinstance(with_whom, str) else with_whom.email
        rule = AclRule(scope, value.lower(), role)
        shared = self.calendar(calendar)
        shared.rules = [one for one in shared.rules if one.id != rule.id]
        if role is not Role.NONE:
            shared.rules.append(rule)
        shared.version += 1
        return rule

    def unshare(self, calendar: str | SimRoom | Person, with_whom: str | ServiceAccount) -> None:
        """Take the entries for somebody away."""
        value = with_whom if isinstance(with_whom, str) else with_whom.email
        shared = self.calendar(calendar)
        shared.rules = [one for one in shared.rules if one.value != value.lower()]
        shared.version += 1

    def share_rooms(
        self, account: ServiceAccount, role: Role = Role.READER, rooms: Iterable[SimRoom] | None = None
    ) -> None:
        """Share every room's calendar with the account, or those that are given."""
        for room in self.rooms() if rooms is None else rooms:
            self.share(room, account, role)

    def limit_external_sharing(self, role: Role, *kinds: Kind) -> None:
        """What outsiders may do at most, with primary and secondary calendars unless one is named."""
        for kind in kinds or (Kind.PRIMARY, Kind.SECONDARY):
            self.external_limits[kind] = role

    def role_of(self, identity: str, calendar: Calendar) -> Role:
        """What somebody may do with a calendar: the best of the entries for them, within the limit."""
        if identity == calendar.id:
            return Role.OWNER
        outsider = identity.rpartition("@")[2] != self.domain
        roles = [self._granted(rule, identity, calendar, outsider=outsider) for rule in calendar.rules]
        return max(roles, default=Role.NONE)

    def _granted(self, rule: AclRule, identity: str, calendar: Calendar, *, outsider: bool) -> Role:
        """What one entry grants to somebody."""
        limit = self._limit(calendar) if outsider else UNLIMITED
        match rule.scope:
            case "user":
                return min(rule.role, limit) if rule.value == identity else Role.NONE
            case "group":
                group = self.groups.get(rule.value)
                if group is None or identity not in group.members:
                    return Role.NONE
                return rule.role if self.answers.group_members_pass_the_limit else min(rule.role, limit)
            case "domain" if outsider:
                seen = self.answers.outsiders_see_internal_free_busy
                return min(rule.role, Role.FREE_BUSY_READER) if seen else Role.NONE
            case "domain":
                return rule.role if rule.value == self.domain else Role.NONE
            case _:
                return min(rule.role, limit)

    def _limit(self, calendar: Calendar) -> Role:
        kind = calendar.kind
        if kind is Kind.RESOURCE:
            kind = Kind(self.answers.rooms_follow_limit_of)
        return self.external_limits[kind]
