"""Loads the credential from its files: a certificate with its private key, or a client secret."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from placed.driver import Exposed, Problem, SettingsError, read_certificate, read_secret, remedy_for_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from placed_microsoft365.settings import Microsoft365Settings


_BOTH = "expected key and certificate, both in PEM"


@dataclass(frozen=True, slots=True)
class Credential:
    """The value of MSAL's `client_credential`, and its expiry if it is known.

    For a certificate the value is `private_key` and `public_certificate`, both in PEM.
    """

    for_msal: str | dict[str, str] = field(repr=False)
    expires_at: datetime | None = None
    valid_from: datetime | None = None


def load_credential(settings: Microsoft365Settings) -> Credential:
    """Reads the credential's file.

    It does not check whether the credential is valid now, because this machine's clock may be wrong; see
    `check_dates`.

    Raises:
        SettingsError: the file is missing, unreadable, readable by other users, or invalid.
    """
    if settings.certificate is not None:
        return _certificate(settings.certificate)
    if settings.client_secret_file is None:
        raise AssertionError("the settings require a credential")
    try:
        content = _read("client_secret_file", settings.client_secret_file, read_secret)
        secret = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = f"{settings.client_secret_file} is no text in UTF-8"
        raise SettingsError(Problem("client_secret_file", text)) from None
    if not secret:
        raise SettingsError(Problem("client_secret_file", f"{settings.client_secret_file} is empty"))
    return Credential(secret)


def check_dates(settings: Microsoft365Settings, credential: Credential, now: datetime) -> None:
    """Compares both dates of a certificate with the time.

    Raises:
        SettingsError: the certificate has expired, or is not valid yet.
    """
    path = settings.certificate
    judge_expiry(settings, credential, now)
    if credential.valid_from is not None and credential.valid_from > now:
        raise _invalid(
            f"{path}: the certificate is valid only from {credential.valid_from:%Y-%m-%d}",
            "is this machine's clock right?",
        )


def judge_expiry(
    settings: Microsoft365Settings, credential: Credential, now: datetime, most: timedelta = timedelta.max
) -> None:
    """Compares a certificate's end with the time.

    Args:
        settings: the settings, which name the file.
        credential: the content of that file.
        now: the time.
        most: an end longer ago than this is ignored, because the clock may be wrong.

    Raises:
        SettingsError: the certificate has expired.
    """
    if credential.expires_at is not None and timedelta() <= now - credential.expires_at < most:
        raise _invalid(
            f"{settings.certificate}: the certificate expired on {credential.expires_at:%Y-%m-%d}",
            "register a new one with the application",
        )


def _certificate(path: Path) -> Credential:
    pem = _read("certificate", path, read_certificate)
    try:
        # `_is_consistent` checks it instead: proving its primes takes a tenth of the start-up time.
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
    if not _is_consistent(key):
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


def _is_consistent(key: RSAPrivateKey) -> bool:
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


def _read(key: str, path: Path, read: Callable[[Path], bytes]) -> bytes:
    try:
        return read(path)
    except Exposed as exposed:
        problem = replace(exposed.problem, key=key, text=f"{path} {exposed.problem.text}")
    except OSError as error:
        remedy = remedy_for_missing(path) if isinstance(error, FileNotFoundError) else ""
        problem = Problem(key, f"{path} cannot be read: {error.strerror}", remedy, unread=path)
    raise SettingsError(problem)
