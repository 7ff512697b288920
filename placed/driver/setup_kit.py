"""How a driver writes what an administrator has to run, for `placed setup`. Optional."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from placed.domain.problem import Problem


class Question(msgspec.Struct, frozen=True):
    """An answer that a kit needs, by the key that it has in a `[[connections]]` table.

    Attributes:
        key: for example `time_zone`, or `fence.canaries`.
        text: the question at a terminal.
        default: taken for an empty answer; None if an answer is required.
        several: whether the answer is a list, separated by commas.
        instead: other keys; if one of these is answered, this question is not asked.
    """

    key: str
    text: str
    default: str | None = None
    several: bool = False
    instead: tuple[str, ...] = ()


class KitFile(msgspec.Struct, frozen=True):
    """A file of a kit, and its purpose."""

    path: Path
    purpose: str


class Kit(msgspec.Struct, frozen=True):
    """A folder that an administrator can read and run."""

    folder: Path
    files: tuple[KitFile, ...]
    next_steps: tuple[str, ...]


class KitError(Exception):
    """A kit cannot be written. The key of a problem is the answer that it is about, or "" if it is none."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problem.line for problem in problems))
        self.problems = problems


class Setup(Protocol):
    """Writes what an administrator has to run at the service. A module may implement it."""

    def questions(self) -> Sequence[Question]:
        """What has to be known before a kit can be written."""
        ...

    def answers_of(self, settings: Any) -> Mapping[str, str]:
        """The answers to `questions` that a connection's settings hold."""
        ...

    def write_kit(
        self, connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
    ) -> Kit:
        """Writes the folder. `renew` makes another key beside the existing one, which continues to work.

        Raises:
            KitError: an answer is invalid, or the folder cannot be written.
        """
        ...


@runtime_checkable
class ActionsSetup(Protocol):
    """A `Setup` that can also write a kit for the registration that changes bookings. Optional."""

    def actions_answers_of(self, settings: Any) -> Mapping[str, str]:
        """The answers for that kit that a connection's settings hold."""
        ...

    def write_actions_kit(
        self, connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
    ) -> Kit:
        """Writes the folder, as `write_kit` does.

        Raises:
            KitError: an answer is invalid, or the folder cannot be written.
        """
        ...


@runtime_checkable
class OffersSetup(Protocol):
    """A `DriverKind` for whose service `placed setup` can write a kit."""

    @staticmethod
    def setup() -> Setup:
        """What writes the kit."""
        ...
