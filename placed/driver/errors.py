"""Why a connection as a whole can not be read: one root, and who heals it."""

from __future__ import annotations

from placed.domain.consent_state import Consent
from placed.domain.model import Reason


class DriverError(Exception):
    """A connection as a whole can not be read.

    Attributes:
        remedy: what the operator has to do about it.
        retry_after: seconds that the service asked for.
        lasting: whether asking again within minutes is of no use, since a person has to change something.
        certain: whether it is believed at once. A calendar service has been seen to refuse once what it
            grants a moment later; a login host that names the reason is not doubted.
        consent: what it says of the administrator's consent, if anything.
    """

    reason = Reason.UNAVAILABLE
    lasting = False
    certain = False

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        retry_after: float | None = None,
        lasting: bool | None = None,
        consent: Consent = Consent.UNKNOWN,
    ) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.retry_after = retry_after
        self.consent = consent
        if lasting is not None:
            self.lasting = lasting


class Unavailable(DriverError):
    """Network, DNS or the service is down, or asks for patience: time heals it."""


class NotPermitted(DriverError):
    """Consent or the fence's group is missing: another person heals it, so ask seldom."""

    reason = Reason.FORBIDDEN


class Refused(DriverError):
    """Refused for good - credential, application, tenant, TLS: only a change of configuration heals it."""

    reason = Reason.REFUSED
    lasting = True
    certain = True
