"""Workload identity federation: tokens of another identity provider in place of a key."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class WorkloadIdentity:
    """A provider of a pool.

    Attributes:
        audience: what it is called at the token exchange.
        subject_tokens: the other provider's tokens that are good now.
        accounts: the service accounts that its principals may use: *Workload Identity User*.
    """

    audience: str
    subject_tokens: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)

    @property
    def principal(self) -> str:
        """Who somebody is who has exchanged a token."""
        return f"principal:{self.audience}/subject/workload"
