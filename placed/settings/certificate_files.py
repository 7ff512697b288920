"""Certificates and keys in the files that settings name, and what is wrong with them, a line each."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from placed.driver import Exposed, read_certificate, read_secret, remedy_for_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def content(name: str, path: Path | None, problems: list[str], read: Callable[[Path], bytes]) -> bytes | None:
    """What is in a file, or None; why it can not be had is added to `problems`.

    Args:
        name: the setting, such as `mqtt.key`.
        path: its file, if it is set.
        problems: what is wrong so far.
        read: `read_secret`, or what else reads such a file.
    """
    if path is None:
        return None
    try:
        return read(path)
    except Exposed as exposed:
        problems.append(f"{name}: {path}: {exposed}")
    except FileNotFoundError:
        problems.append(f"{name}: {path}: there is no such file; {remedy_for_missing(path)}")
    except PermissionError:
        problems.append(f"{name}: {path}: may not be read; give this user the right to read it")
    except OSError as error:
        problems.append(f"{name}: {path}: can not be read ({error.strerror}); name a readable file")
    return None


def load_chain(
    context: ssl.SSLContext, table: str, certificate: Path, key: Path | None, problems: list[str]
) -> None:
    """Has a context show this certificate; what is wrong with it is added to `problems`.

    Args:
        context: of either side.
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


def _unsuitable(table: str, certificate: Path, key: Path | None, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        name, path = (f"{table}.key", key) if key else (f"{table}.certificate", certificate)
        return f"{name}: {path}: is not the key of {certificate}; name the key that belongs to it"
    return (
        f"{table}.certificate: {certificate}: is no PEM certificate with an unencrypted private key"
        f"{f' in {key}' if key else ''}; name the files that hold both"
    )
