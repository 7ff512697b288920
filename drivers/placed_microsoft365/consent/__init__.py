"""Consent of the tenant's administrator: where it is given, what the answer means, if it is in effect."""

from placed_microsoft365.consent.grant_check import probe
from placed_microsoft365.consent.message_to_admin import letter
from placed_microsoft365.consent.redirect_result import judge
from placed_microsoft365.consent.request import consent_url, granted_elsewhere, permissions, propagation
from placed_microsoft365.consent.revocation_steps import revocation

__all__ = [
    "consent_url",
    "granted_elsewhere",
    "judge",
    "letter",
    "permissions",
    "probe",
    "propagation",
    "revocation",
]
