"""How an app proves itself: secrets and registered certificates."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Secret:
    """A client secret; without `expires` it holds for ever."""

    value: str
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegisteredCertificate:
    """The public half of a client's certificate, found by either thumbprint (base64url, no padding)."""

    public_key: RSAPublicKey
    sha1: str
    sha256: str
    expires: datetime

    @property
    def thumbprint(self) -> str:
        """The SHA-1 thumbprint in hexadecimal, as Entra shows it."""
        return base64.urlsafe_b64decode(f"{self.sha1}=").hex().upper()

    @classmethod
    def from_pem(cls, pem: bytes) -> RegisteredCertificate:
        """Read the first certificate of the PEM; anything else in it is passed over.

        Raises:
            ValueError: no certificate in it, or its key is no RSA key.
        """
        certificate = x509.load_pem_x509_certificate(pem)
        public_key = certificate.public_key()
        if not isinstance(public_key, RSAPublicKey):
            raise ValueError(  # noqa: TRY004 - the caller gave a PEM of the right type
                "an app registration takes certificates with an RSA key only"
            )
        return cls(
            public_key,
            _base64url(certificate.fingerprint(SHA1())),  # noqa: S303 - what x5t is defined to be
            _base64url(certificate.fingerprint(SHA256())),
            certificate.not_valid_after_utc,
        )


def _base64url(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
