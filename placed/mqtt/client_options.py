"""The client's options from the settings: address, client id, login and TLS; errors are reported together."""

from __future__ import annotations

import hashlib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.driver import Exposed, read_certificate, read_secret
from placed.mqtt.client import timeouts
from placed.mqtt.client.connect_options import ConnectOptions
from placed.settings.certificate_files import content, load_chain

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

    from placed.settings.output_settings import Mqtt

_QUEUE = 100  # messages; only a few topics are read
_LONGEST_PASSWORD = 65_535  # bytes of binary data in a packet: MQTT 5, 1.5.6
_ONE_LINE = "write the password on one line"


def address_of(settings: Mqtt) -> str:
    """Returns the broker's `host:port`."""
    parts = urlsplit(settings.url)
    return f"{parts.hostname}:{_port(parts)}"


def _port(parts: SplitResult) -> int:
    return parts.port or (8883 if parts.scheme == "mqtts" else 1883)


def client_id_of(settings: Mqtt) -> str:
    """Returns the daemon's client identifier."""
    return settings.client_id or settings.base_topic.replace("/", "-")


def login_options(settings: Mqtt, client_id: str) -> ConnectOptions:
    """Returns the address, the client identifier, the login and the TLS context.

    Raises:
        CannotStart: files that the settings name cannot be used.
    """
    parts = urlsplit(settings.url)
    tls = parts.scheme == "mqtts"
    problems = _contradictions(settings, tls=tls)
    password = _read_password(settings.password_file, problems)
    context = _tls_context(settings, problems) if tls else None
    if problems:
        raise CannotStart(*problems)
    return ConnectOptions(
        parts.hostname or "",
        _port(parts),
        client_id,
        protocol=settings.protocol,
        username=settings.username,
        password=password,
        tls=context,
        keep_alive=timeouts.KEEP_ALIVE,
        queue=_QUEUE,
    )


@dataclass(frozen=True, slots=True)
class Login:
    """A daemon's login, with the content of its files at the time when it was made.

    Attributes:
        options: of the daemon's connection, with the address and the login.
        mark: a digest of settings and files; an equal mark means the same broker and the same login.
    """

    settings: Mqtt
    options: ConnectOptions = field(repr=False)
    mark: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Mqtt) -> Login:
        """Reads the files that the settings name.

        Raises:
            CannotStart: a file cannot be used.
        """
        options = login_options(settings, client_id_of(settings))
        digest = hashlib.sha256(repr((settings.url, settings.username, settings.protocol)).encode())
        for path in (settings.password_file, settings.ca_file, settings.certificate, settings.key):
            digest.update(hashlib.sha256(_content(path)).digest())
        return cls(settings, options, digest.digest())

    @property
    def address(self) -> str:
        """Returns the broker's `host:port`."""
        return address_of(self.settings)

    @property
    def place(self) -> tuple[str, str]:
        """The address, and the URL scheme, which shows whether TLS is used."""
        return self.address, urlsplit(self.settings.url).scheme


def _content(path: Path | None) -> bytes:
    """Returns the content of a file; nothing if it cannot be read, which was reported before."""
    with suppress(OSError, Exposed):
        return read_certificate(path) if path is not None else b""
    return b""


# --- password, CA and client certificate ---


def _contradictions(settings: Mqtt, *, tls: bool) -> list[Problem]:
    """Returns problems of settings that would have no effect."""
    problems: list[Problem] = []
    if settings.password_file and not settings.username:
        text = "a password has no effect without a login"
        problems.append(Problem("mqtt.password_file", text, "set mqtt.username"))
    if settings.key and not settings.certificate:
        text = "a key has no effect without its certificate"
        problems.append(Problem("mqtt.key", text, "set mqtt.certificate"))
    if not tls:
        problems += [
            Problem(f"mqtt.{key}", "needs TLS", "write mqtts:// in mqtt.url, or remove it")
            for key in ("ca_file", "certificate", "key")
            if getattr(settings, key)
        ]
    return problems


def _read_password(path: Path | None, problems: list[Problem]) -> str | None:
    """Returns the password in a file; problems are added to `problems`."""
    found = content("mqtt.password_file", path, problems, read_secret)
    if found is None:
        return None
    try:
        password = found.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        problems.append(Problem("mqtt.password_file", f"{path}: is not UTF-8 text", _ONE_LINE))
        return None
    if not password or "\n" in password:
        text = f"{path}: {'holds several lines' if password else 'is empty'}"
        problems.append(Problem("mqtt.password_file", text, _ONE_LINE))
    elif len(password.encode()) > _LONGEST_PASSWORD:
        text = f"{path}: holds more than the {_LONGEST_PASSWORD} bytes that a password can have"
        problems.append(Problem("mqtt.password_file", text, _ONE_LINE))
    return password


def _tls_context(settings: Mqtt, problems: list[Problem]) -> ssl.SSLContext | None:
    """Returns a context that checks certificate and host name, with the private CA if one is set."""
    before = len(problems)
    content("mqtt.ca_file", settings.ca_file, problems, read_certificate)
    context: ssl.SSLContext | None = None
    if len(problems) == before:
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
            context.sslsocket_class = _Socket
        except ssl.SSLError:
            text = f"{settings.ca_file}: holds no certificate"
            problems.append(Problem("mqtt.ca_file", text, "name a PEM file with the CA"))
    if settings.certificate:
        chain = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # its errors are reported in any case
        load_chain(chain, "mqtt", settings.certificate, settings.key, problems)
    return context if len(problems) == before else None


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails, which paho (for MQTT 3.1.1) leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of ssl
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise
