"""Keys and self-signed certificates of a client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def make_client_certificate(
    common_name: str = "placed",
    *,
    key_size: int = 3072,
    valid_from: datetime | None = None,
    lifetime: timedelta = timedelta(days=365),
) -> bytes:
    """A PEM with a private RSA key (PKCS 8, not encrypted) and its self-signed certificate.

    It is what an administrator would make for the daemon: the whole goes to the daemon's `certificate`
    setting, and `Tenant.register_app(certificates=[…])` takes the same PEM and reads the public half.
    """
    key = generate_private_key(public_exponent=65537, key_size=key_size)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    begin = valid_from if valid_from is not None else datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
