"""What proves who is who, from the files that the settings name: password, CA, client certificate."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from placed.driver import read_certificate, read_secret
from placed.settings.certificate_files import content, load_chain

if TYPE_CHECKING:
    from pathlib import Path

    from placed.settings.schema import Mqtt


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
    found = content("mqtt.password_file", path, problems, read_secret)
    if found is None:
        return None
    try:
        password = found.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        problems.append(f"mqtt.password_file: {path}: is not UTF-8 text; write the password on one line")
        return None
    if not password or "\n" in password:
        said = "holds several lines" if password else "is empty"
        problems.append(f"mqtt.password_file: {path}: {said}; write the password on one line")
    return password


def tls_context(settings: Mqtt, problems: list[str]) -> ssl.SSLContext | None:
    """A context that checks certificate and host name, against the private CA if one is set."""
    before = len(problems)
    content("mqtt.ca_file", settings.ca_file, problems, read_certificate)
    context: ssl.SSLContext | None = None
    if len(problems) == before:
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
            context.sslsocket_class = _Socket
        except ssl.SSLError:
            problems.append(
                f"mqtt.ca_file: {settings.ca_file}: holds no certificate; name a PEM file with the CA"
            )
    if settings.certificate:
        chain = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # its mistakes are told in any case
        load_chain(chain, "mqtt", settings.certificate, settings.key, problems)
    return context if len(problems) == before else None


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as ssl has it
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
