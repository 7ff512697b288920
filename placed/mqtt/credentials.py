"""What proves who is who, from the files that the settings name: password, CA, client certificate."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from placed.settings import Mqtt


def contradictions(settings: Mqtt, *, tls: bool) -> list[str]:
    """Settings that would silently be of no effect."""
    problems = []
    if settings.password_file and not settings.username:
        problems.append("mqtt.password_file: a password without a login is of no use; set mqtt.username")
    if settings.key and not settings.certificate:
        problems.append("mqtt.key: a key without its certificate is of no use; set mqtt.certificate")
    if not tls:
        problems += [
            f"mqtt.{key}: needs TLS; write mqtts:// in mqtt.url, or remove it"
            for key in ("ca_file", "certificate", "key")
            if getattr(settings, key)
        ]
    return problems


def read_password(path: Path | None, problems: list[str]) -> str | None:
    """The password in a file; what is wrong with it is added to `problems`."""
    content = _content("password_file", path, problems)
    if content is None:
        return None
    try:
        password = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        problems.append(f"mqtt.password_file: {path}: is not UTF-8 text; write the password on one line")
        return None
    if not password or "\n" in password:
        found = "holds several lines" if password else "is empty"
        problems.append(f"mqtt.password_file: {path}: {found}; write the password on one line")
    return password


def tls_context(settings: Mqtt, problems: list[str]) -> ssl.SSLContext | None:
    """A context that checks certificate and host name, against the private CA if one is set."""
    before = len(problems)
    for key in ("ca_file", "certificate", "key"):
        _content(key, getattr(settings, key), problems)
    if len(problems) > before:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except ssl.SSLError:
        problems.append(
            f"mqtt.ca_file: {settings.ca_file}: holds no certificate; name a PEM file with the CA"
        )
        return None
    context.sslsocket_class = _Socket
    if settings.certificate:
        try:
            # Without a callback OpenSSL would ask for a passphrase on the terminal.
            context.load_cert_chain(settings.certificate, settings.key, password=lambda: "")
        except ssl.SSLError as error:
            problems.append(_unsuitable(settings, error))
    return context


def _unsuitable(settings: Mqtt, error: ssl.SSLError) -> str:
    key, path = ("key", settings.key) if settings.key else ("certificate", settings.certificate)
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"mqtt.{key}: {path}: is not the key of {settings.certificate}; name the key that belongs to it"
        )
    return (
        f"mqtt.certificate: {settings.certificate}: is no PEM certificate with an unencrypted private key"
        f"{f' in {settings.key}' if settings.key else ''}; name the files that hold both"
    )


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as ssl has it
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _content(key: str, path: Path | None, problems: list[str]) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except FileNotFoundError:
        problems.append(f"mqtt.{key}: {path}: there is no such file; create it or correct the path")
    except PermissionError:
        problems.append(f"mqtt.{key}: {path}: may not be read; give this user the right to read it")
    except OSError as error:
        problems.append(f"mqtt.{key}: {path}: can not be read ({error.strerror}); name a readable file")
    return None
