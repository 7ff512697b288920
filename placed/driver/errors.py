"""Errors of a connection as a whole: one base class, and a subclass for who can fix it."""

from __future__ import annotations

from placed.domain.consent_record import Consent
from placed.domain.model import Reason
from placed.domain.problem import Problem


class DriverError(Exception):
    """A connection as a whole cannot be read.

    Attributes:
        problem: what is wrong, what the operator has to do, and how long the service asked to be left alone.
        certain: whether it is believed at once. A calendar service has been seen to refuse once what it
            grants a moment later; a login host that names the reason is not doubted.
        consent: what it shows of the administrator's consent, if anything.
    """

    reason = Reason.UNAVAILABLE
    lasts = False  # whether the problem is lasting, unless the constructor is given it
    certain = False

    def __init__(
        self,
        text: str,
        *,
        remedy: str = "",
        retry_after: float | None = None,
        lasting: bool | None = None,
        consent: Consent = Consent.UNKNOWN,
    ) -> None:
        super().__init__(text)
        lasting = self.lasts if lasting is None else lasting
        self.problem = Problem("", text, remedy, lasting, retry_after, joint=": ")
        self.consent = consent


class Unavailable(DriverError):
    """Network, DNS or the service is down, or asks for patience: time heals it."""


class AnswerLost(Unavailable):
    """A request was sent and may have been carried out, but no answer came."""


class Throttled(Unavailable):
    """The service throttles the client."""

    reason = Reason.THROTTLED


class UnexpectedAnswer(DriverError):
    """The answer of the service is not what was requested."""

    reason = Reason.MALFORMED


class NotPermitted(DriverError):
    """Consent or the fence's group is missing: another person heals it, so ask seldom."""

    reason = Reason.FORBIDDEN


class Refused(DriverError):
    """Refused for good - credential, application, tenant, TLS: only a change of configuration heals it."""

    reason = Reason.REFUSED
    lasts = True
    certain = True
