"""Files with a bearer token, which clients send in a header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.driver import Exposed, read_secret, remedy_for_missing

if TYPE_CHECKING:
    from pathlib import Path

_INVALID_IN_HEADER = re.compile(rb"[^\x21-\x7e]")


def read_token(path: Path, key: str = "") -> bytes:
    """Returns the token in a file; `key` is the setting that names the file, for the problem.

    Raises:
        CannotStart: the file cannot be used.
    """
    try:
        token = read_secret(path).strip()
    except Exposed as exposed:
        raise _problem(key, path, exposed.problem.text, exposed.problem.remedy) from None
    except FileNotFoundError:
        raise _problem(key, path, "there is no such file", remedy_for_missing(path), unread=path) from None
    except OSError as error:
        remedy = "expected a readable file with the bearer token"
        raise _problem(key, path, error.strerror, remedy, unread=path) from error
    if not token:
        raise _problem(key, path, "is empty", "expected the bearer token in it")
    if _INVALID_IN_HEADER.search(token):
        text = "holds spaces, line breaks or letters beyond ASCII"
        raise _problem(key, path, text, "expected one token of letters, digits and - . _ ~ + / =")
    return token


def _problem(
    key: str, path: Path, text: str | None, remedy: str, *, unread: Path | None = None
) -> CannotStart:
    return CannotStart(Problem(key, f"{path}: {text}", remedy, unread=unread))
