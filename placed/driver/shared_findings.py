"""Shared by all diagnoses: blocked checks, and files that hold secrets."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from placed.domain.problem import Problem
from placed.driver.diagnosis import Finding, Verdict
from placed.driver.file_content import read_file_content
from placed.driver.secret_file import (
    CREDENTIALS,
    LARGEST_SECRET,
    as_service,
    exposure,
    kept_by_systemd,
    of_the_service,
    remedy_for_missing,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

AGAIN = "wait a minute, then run placed doctor again"


def blocked(check: str, by: Finding, text: str = "not tried") -> Finding:
    """Returns a finding for a check that is blocked by another."""
    return Finding(check, Verdict.BAD, Problem("", text, by.remedy), by.blocked_by or by.check)


def unreadable(key: str, path: Path, error: OSError, make: str = "make the file") -> Finding:
    """Returns a finding for an unreadable file; `make` is how to create a missing one."""
    message = f"{key}: {path}: {error.strerror}"
    if of_the_service(path):
        described = f"{message}; ${CREDENTIALS} is set for the service only"
        remedy = f"run it as systemd would: {as_service('placed doctor', [path])}"
        return Finding.of("files", Verdict.BAD, described, remedy)
    if kept_by_systemd(path):
        return Finding.of("files", Verdict.BAD, message, remedy_for_missing(path))
    if isinstance(error, PermissionError):
        remedy = f"give the user that placed runs as the right to read {path}; or run placed doctor with sudo"
        return Finding.of("files", Verdict.BAD, message, remedy)
    return Finding.of("files", Verdict.BAD, message, f"{make}, or correct {key}")


def look_at_secrets(files: Iterable[tuple[str, Path]], make: str = "make the file") -> list[Finding]:
    """Whether files that hold secrets can be read, and by whom else; by their keys in the settings.

    Good ones share a finding. What systemd keeps in $CREDENTIALS_DIRECTORY nobody else can read, whatever
    its mode: systemd.exec(5), LoadCredential=.
    """
    findings, good = [], []
    for key, path in files:
        try:
            found = path.stat().st_mode
            read_file_content(path, LARGEST_SECRET)
        except OSError as error:
            findings.append(unreadable(key, path, error, make))
            continue
        mode = stat.S_IMODE(found)
        described = f"{key}: {path}: can be {{}} by {{}} of this machine (mode {mode:04o})"
        remedy = f"chmod 600 {path}"
        if kept_by_systemd(path):
            good.append(f"{key} is kept by systemd")
        elif doing := exposure(path, found):
            findings.append(Finding.of("files", Verdict.BAD, described.format(doing, "every user"), remedy))
        elif stat.S_ISREG(found) and mode & stat.S_IRWXG:
            doing = "changed" if mode & stat.S_IWGRP else "read"
            findings.append(Finding.of("files", Verdict.DOUBTFUL, described.format(doing, "a group"), remedy))
        else:
            good.append(f"{key} is for its owner alone")
    if good:
        findings.append(Finding.of("files", Verdict.GOOD, ", ".join(good)))
    return findings
