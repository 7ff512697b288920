"""Loads the credential from its files: a certificate with its private key, or a client secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from placed.driver import Problem, SettingsError, read_certificate, read_file, read_secret
from placed.driver.rsa_key import is_consistent

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


_BOTH = "expected key and certificate, both in PEM"


@dataclass(frozen=True, slots=True)
class Credential:
    """The value of MSAL's `client_credential`, and its expiry if it is known.

    For a certificate the value is `private_key` and `public_certificate`, both in PEM.
    """

    for_msal: str | dict[str, str] = field(repr=False)
    expires_at: datetime | None = None
    valid_from: datetime | None = None


class CredentialFiles(Protocol):
    """The settings of a registration's credential: one of two files."""

    @property
    def certificate(self) -> Path | None:
        """The PEM file with private key and certificate."""
        ...

    @property
    def client_secret_file(self) -> Path | None:
        """The file that holds the client secret."""
        ...


def load_credential(files: CredentialFiles) -> Credential:
    """Reads the credential's file.

    It does not check whether the credential is valid now, because this machine's clock may be wrong; see
    `check_dates`.

    Raises:
        SettingsError: the file is missing, unreadable, readable by other users, or invalid.
    """
    if files.certificate is not None:
        return _certificate(files.certificate)
    if files.client_secret_file is None:
        raise AssertionError("the settings require a credential")
    try:
        content = read_file("client_secret_file", files.client_secret_file, read_secret)
        secret = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = f"{files.client_secret_file} is no text in UTF-8"
        raise SettingsError(Problem("client_secret_file", text)) from None
    if not secret:
        raise SettingsError(Problem("client_secret_file", f"{files.client_secret_file} is empty"))
    return Credential(secret)


def check_dates(files: CredentialFiles, credential: Credential, now: datetime) -> None:
    """Compares both dates of a certificate with the time.

    Raises:
        SettingsError: the certificate has expired, or is not valid yet.
    """
    path = files.certificate
    judge_expiry(files, credential, now)
    if credential.valid_from is not None and credential.valid_from > now:
        raise _invalid(
            f"{path}: the certificate is valid only from {credential.valid_from:%Y-%m-%d}",
            "is this machine's clock right?",
        )


def judge_expiry(
    files: CredentialFiles, credential: Credential, now: datetime, most: timedelta = timedelta.max
) -> None:
    """Compares a certificate's end with the time.

    Args:
        files: the settings that name the file.
        credential: the content of that file.
        now: the time.
        most: an end longer ago than this is ignored, because the clock may be wrong.

    Raises:
        SettingsError: the certificate has expired.
    """
    if credential.expires_at is not None and timedelta() <= now - credential.expires_at < most:
        raise _invalid(
            f"{files.certificate}: the certificate expired on {credential.expires_at:%Y-%m-%d}",
            "register a new one with the application",
        )


def _certificate(path: Path) -> Credential:
    pem = read_file("certificate", path, read_certificate)
    try:
        # `is_consistent` checks it instead: proving its primes takes a tenth of the start-up time.
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise _invalid(f"{path}: the private key has a passphrase", "expected one without") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _invalid(f"{path} holds no private key", _BOTH) from None
    if not isinstance(key, RSAPrivateKey):
        raise _invalid(f"{path}: the key is no RSA key", "Microsoft Entra wants RSA")
    try:
        chain = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise _invalid(f"{path} holds no certificate", _BOTH) from None
    leaf = next((c for c in chain if _belongs(c, key)), None)
    if leaf is None:
        raise _invalid(f"{path}: the certificate does not belong to the private key")
    if not is_consistent(key):
        raise _invalid(f"{path}: the private key is damaged; its numbers do not agree")
    # Serialized again, because a file may hold more than PEM, such as the names that `openssl pkcs12` adds.
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = leaf.public_bytes(Encoding.PEM).decode()
    return Credential(
        {"private_key": private, "public_certificate": public},
        leaf.not_valid_after_utc,
        leaf.not_valid_before_utc,
    )


def _invalid(text: str, remedy: str = "") -> SettingsError:
    return SettingsError(Problem("certificate", text, remedy))


def _belongs(certificate: x509.Certificate, key: RSAPrivateKey) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):  # another certificate of the chain
        return False
