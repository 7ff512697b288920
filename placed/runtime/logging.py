"""Logs: text for people at a terminal, a JSON object a line under systemd. Never a secret, never a person."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

import structlog

from placed.driver.registry import driver_packages
from placed.runtime.log_format_option import LogFormat

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger


def form_for(stream: TextIO) -> LogFormat:
    """JSON where the stream leads to systemd's journal, text elsewhere.

    Source: systemd.exec(5): JOURNAL_STREAM holds device and inode of what a service's output is connected to,
    and a program that a person starts inside of one may have inherited it.
    """
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return LogFormat.TEXT
    journal = os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
    return LogFormat.JSON if journal else LogFormat.TEXT


def set_up(form: LogFormat = LogFormat.AUTO, *, verbose: bool = False) -> LogFormat:
    """Sends structlog and the libraries' own logs to stderr, in one form; returns which."""
    if form is LogFormat.AUTO:
        form = form_for(sys.stderr)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _drop_none,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor
    if form is LogFormat.JSON:
        # Without the local variables of the frames: they hold tokens and titles.
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shared.append(structlog.processors.ExceptionRenderer(transformer))
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=28,
            exception_formatter=structlog.dev.plain_traceback,
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # libraries: their worries only, for their chatter holds addresses
    set_level(logging.DEBUG if verbose else logging.INFO)
    return form


def set_level(level: int) -> None:
    """The least level that placed and every installed driver log; libraries stay at WARNING."""
    for package in ("placed", *driver_packages()):
        logging.getLogger(package).setLevel(level)


def _drop_none(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if value is not None}
