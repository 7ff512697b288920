"""Keys and certificates: the server's from a private authority, and self-signed ones for a client."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES = ("localhost", "127.0.0.1", "::1")


def server_context(ca_file: Path) -> ssl.SSLContext:
    """TLS for a server on this machine; the authority's certificate is written to `ca_file`.

    Raises:
        ModuleNotFoundError: the packages of the extra `demo` are not installed.
    """
    import trustme  # noqa: PLC0415 - of the extra `demo`; the rest of the simulator does without

    authority = trustme.CA(organization_name="placed simulated tenant")
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*SERVER_NAMES).configure_cert(context)
    return context


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
