"""Checks a private RSA key faster than the library, which proves the primes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def is_consistent(key: RSAPrivateKey) -> bool:
    """Returns whether the key's numbers match, so that its public key verifies what it signs."""
    own = key.private_numbers()
    p, q, e = own.p, own.q, own.public_numbers.e
    return (
        min(p, q) > 2  # noqa: PLR2004 - the smallest prime
        and p * q == own.public_numbers.n
        and own.d * e % (p - 1) == own.d * e % (q - 1) == 1
        and own.dmp1 == own.d % (p - 1)
        and own.dmq1 == own.d % (q - 1)
        and own.iqmp * q % p == 1
    )
