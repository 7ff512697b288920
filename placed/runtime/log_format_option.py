"""The two forms of a log line, apart from the logging itself so that a command's options import no logger."""

from __future__ import annotations

from enum import StrEnum


class LogFormat(StrEnum):
    """How a line looks."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"
