"""Creates the key with its self-signed certificate, and finds existing ones.

Source: Microsoft, "Application authentication certificate credentials". Entra takes RSA; its portal shows the
SHA-1 thumbprint, and `keyCredentials[].customKeyIdentifier` is that thumbprint again.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from placed.driver import KitError, Problem
from placed.driver.rsa_key import is_consistent

if TYPE_CHECKING:
    from pathlib import Path

KEY_SIZE = 3072  # bits
LIFETIME = timedelta(days=365)  # Entra's default is at most a year
_EARLIER = timedelta(minutes=5)  # for a slow clock at the other side


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its certificate in a file `<name>.pem`; `<name>.crt` is the certificate alone."""

    name: str
    certificate: x509.Certificate = field(repr=False)

    @property
    def begins(self) -> datetime:
        """The start of its validity, which is about when it was created."""
        return self.certificate.not_valid_before_utc

    @property
    def expires(self) -> datetime:
        """The end of its validity."""
        return self.certificate.not_valid_after_utc

    @property
    def thumbprint(self) -> str:
        """The SHA-1 digest in upper-case hexadecimal digits, as the portal shows it."""
        return self._sha1.hex().upper()

    @property
    def identifier(self) -> str:
        """The SHA-1 digest in base 64, as Graph writes `customKeyIdentifier`."""
        return base64.b64encode(self._sha1).decode()

    @property
    def sha256(self) -> str:
        """The SHA-256 digest in upper-case hexadecimal digits."""
        return self.certificate.fingerprint(SHA256()).hex().upper()

    @property
    def public(self) -> bytes:
        """The certificate alone, in PEM, for the upload."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def _sha1(self) -> bytes:
        return self.certificate.fingerprint(SHA1())  # noqa: S303 - an identifier, as in Entra; not a protection


def make(connection: str, now: datetime) -> bytes:
    """Returns a new key and its certificate in one PEM."""
    key = generate_private_key(public_exponent=65537, key_size=KEY_SIZE)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"placed {connection}")])
    begins = now.astimezone(UTC).replace(microsecond=0) - _EARLIER
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def name_of_renewed(connection: str, now: datetime) -> str:
    """Returns the name of a further pair: the month in which it expires."""
    return f"{connection}-{now.astimezone(UTC) - _EARLIER + LIFETIME:%Y-%m}"


def found(connection: str, folder: Path) -> list[KeyPair]:
    """Returns the connection's pairs in the folder, the oldest first.

    Raises:
        KitError: a file with the name of a pair holds none.
    """
    ours = re.compile(rf"{re.escape(connection)}(-\d{{4}}-\d{{2}})?\.pem")
    pairs = [_read(path) for path in sorted(folder.glob("*.pem")) if ours.fullmatch(path.name)]
    return sorted(pairs, key=lambda pair: (pair.begins, pair.name))


def _read(path: Path) -> KeyPair:
    try:
        pem = path.read_bytes()
        # `is_consistent` checks it instead, in a hundredth of the time that proving its primes takes.
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
        certificates = x509.load_pem_x509_certificates(pem)
    except OSError as error:
        raise KitError(Problem("", f"{path} cannot be read: {error.strerror}")) from None
    except (TypeError, ValueError, UnsupportedAlgorithm):
        certificates = []
    else:
        if isinstance(key, RSAPrivateKey) and is_consistent(key):
            certificates = [one for one in certificates if one.public_key() == key.public_key()]
        else:
            certificates = []
    if not certificates:
        text = f"{path} holds no RSA key with its certificate"
        raise KitError(Problem("", text, "it is left alone, move it away"))
    return KeyPair(path.stem, certificates[0])
