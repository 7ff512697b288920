"""The client assertion: a JWT that the certificate signs in place of a secret (RFC 7523).

MSAL would sign with the machine's clock. Here the time is an argument, so that a wrong clock does not prevent
the sign-in.
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

LIFETIME = 600  # seconds


def client_assertion(credential: Mapping[str, str], client_id: str, audience: str, now: datetime) -> str:
    """Returns a signed assertion for one sign-in.

    Args:
        credential: `private_key` and `public_certificate`, both in PEM.
        client_id: the id of the registration.
        audience: the token endpoint.
        now: the login host's time.
    """
    import jwt  # noqa: PLC0415 - imported together with MSAL, which is imported late

    certificate = x509.load_pem_x509_certificate(credential["public_certificate"].encode())
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).decode()
    issued_at = int(now.timestamp())
    claims = {
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "iat": issued_at,
        "exp": issued_at + LIFETIME,
        "jti": str(uuid.uuid4()),
    }
    headers = {
        "x5t#S256": thumbprint,
        "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()],
    }
    return jwt.encode(claims, credential["private_key"], algorithm="PS256", headers=headers)
