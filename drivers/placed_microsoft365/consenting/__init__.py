"""Consent of the tenant's administrator: where it is given, what the answer means, if it is in effect."""

from placed_microsoft365.consenting.asking import consent_url, granted_elsewhere, permissions, propagation
from placed_microsoft365.consenting.judgement import judge
from placed_microsoft365.consenting.letter import letter
from placed_microsoft365.consenting.probing import probe
from placed_microsoft365.consenting.revoking import revocation

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
