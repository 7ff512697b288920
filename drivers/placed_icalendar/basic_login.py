"""A user's name and password for a calendar host, sent as `Basic` (RFC 7617)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed.driver import Problem, SettingsError, read_file

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A login. Its representation shows no password."""

    username: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of the header Authorization, in UTF-8."""
        return f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"


def load_login(username: str | None, password_file: Path | None, key: str) -> BasicLogin | None:
    """Reads the password of a login; None if the settings have no login.

    Args:
        username: of the settings.
        password_file: of the settings.
        key: the setting that names the file, for messages.

    Raises:
        SettingsError: the file cannot be used. A line break at its end is no part of the password.
    """
    if username is None or password_file is None:
        return None
    return BasicLogin(username, load_line(password_file, key))


def load_line(path: Path, key: str) -> str:
    """Reads a file whose only line is a secret, such as a password.

    Raises:
        SettingsError: it cannot be read, is readable by others, is empty, or has several lines.
    """
    try:
        text = read_file(key, path).decode()
    except UnicodeDecodeError:
        raise SettingsError(Problem(key, f"{path} is not in UTF-8")) from None
    lines = text.removeprefix("\N{BYTE ORDER MARK}").splitlines()
    if len(lines) != 1 or not lines[0].strip():
        raise SettingsError(Problem(key, f"{path} has {len(lines)} lines, expected one with the secret"))
    return lines[0]
