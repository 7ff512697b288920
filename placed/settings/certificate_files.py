"""Loads certificates and keys from the files in the settings, and collects problems with them."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography.x509 import load_pem_x509_certificates

from placed.domain.problem import Problem
from placed.driver import Exposed, read_certificate, read_secret, remedy_for_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate is valid."""

    path: Path
    begins: datetime
    ends: datetime

    def problem(self, name: str, now: datetime) -> Problem | None:
        """Why clients reject it at this moment; None if it is valid. `name` is the setting."""
        if now >= self.ends:
            text = f"{self.path}: the certificate expired on {self.ends:%Y-%m-%d}"
            return Problem(name, text, "put a renewed one there, and reload")
        if now < self.begins:
            text = f"{self.path}: the certificate is valid only from {self.begins:%Y-%m-%d %H:%M}Z on"
            return Problem(name, text, "wait until then, or put another one there, and reload")
        return None


def validity_of(path: Path) -> Validity | None:
    """The validity of the first certificate in a PEM file, the server's own; None if it cannot be read."""
    with suppress(OSError, ValueError):
        first = load_pem_x509_certificates(path.read_bytes())[0]
        return Validity(path, first.not_valid_before_utc, first.not_valid_after_utc)
    return None


def content(
    name: str, path: Path | None, problems: list[Problem], read: Callable[[Path], bytes]
) -> bytes | None:
    """The content of a file, or None; a problem with it is added to `problems`.

    Args:
        name: the setting, such as `mqtt.key`.
        path: its file, if set.
        problems: what is wrong so far.
        read: `read_secret`, or what else reads such a file.
    """
    if path is None:
        return None
    try:
        return read(path)
    except Exposed as exposed:
        problems.append(replace(exposed.problem, key=name, text=f"{path}: {exposed.problem.text}"))
    except FileNotFoundError:
        remedy = remedy_for_missing(path)
        problems.append(Problem(name, f"{path}: there is no such file", remedy, unread=path))
    except PermissionError:
        remedy = "give this user the right to read it"
        problems.append(Problem(name, f"{path}: may not be read", remedy, unread=path))
    except OSError as error:
        text = f"{path}: cannot be read ({error.strerror})"
        problems.append(Problem(name, text, "name a readable file", unread=path))
    return None


def load_chain(
    context: ssl.SSLContext, table: str, certificate: Path, key: Path | None, problems: list[Problem]
) -> None:
    """Loads a certificate into a TLS context; problems with it are added to `problems`.

    Args:
        context: of a client or a server.
        table: where `certificate` and `key` are set: `mqtt` or `http`.
        certificate: PEM, with all certificates up to the CA's. It may hold the key as well.
        key: PEM, if it is in another file.
        problems: what is wrong so far.
    """
    before = len(problems)
    content(f"{table}.certificate", certificate, problems, read_certificate)
    content(f"{table}.key", key, problems, read_secret)
    if len(problems) > before:
        return
    try:
        # Without a callback OpenSSL would ask for a passphrase on the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        problems.append(_unsuitable(table, certificate, key, error))


def _unsuitable(table: str, certificate: Path, key: Path | None, error: ssl.SSLError) -> Problem:
    if error.reason == "KEY_VALUES_MISMATCH":
        name, path = (f"{table}.key", key) if key else (f"{table}.certificate", certificate)
        return Problem(name, f"{path}: is not the key of {certificate}", "name the key that belongs to it")
    where = f" in {key}" if key else ""
    text = f"{certificate}: is not a PEM certificate with an unencrypted private key{where}"
    return Problem(f"{table}.certificate", text, "name the files that hold both")
