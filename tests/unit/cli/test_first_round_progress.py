"""The progress of the first round, while a command waits for it."""

from __future__ import annotations

import io
from contextlib import contextmanager, redirect_stderr
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.cli import first_round_progress
from placed.cli.first_round_progress import first_round
from tests.support.domain_builders import FakeClock, at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Terminal(io.StringIO):
    """A stderr that a person looks at."""

    def isatty(self) -> bool:
        return True

    @contextmanager
    def watched(self) -> Iterator[Callable[[int, int], None]]:
        """The first round of a program whose stderr this is."""
        with redirect_stderr(self), first_round() as show:
            yield show


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock(at("9:00"))
    monkeypatch.setattr(first_round_progress, "time", SimpleNamespace(monotonic=clock.steady))
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_progress_of_a_large_building_is_shown_every_two_seconds(clock: FakeClock) -> None:
    with capture_logs() as logs, first_round() as report:
        for done in range(0, 5501, 250):
            report(done, 5500)
            clock.pass_(0.5)
    dones = [1000, 2000, 3000, 4000, 5000]
    assert logs == [
        {"event": "rooms.are_being_read", "log_level": "info", "done": n, "total": 5500} for n in dones
    ]


def test_a_small_building_shows_no_progress(clock: FakeClock) -> None:
    with capture_logs() as logs, first_round() as report:
        for done in range(200):
            report(done, 199)
            clock.pass_(5)
    assert logs == []


def test_at_a_terminal_there_is_a_bar_that_leaves_nothing_behind(terminal: Terminal) -> None:
    with capture_logs() as logs, terminal.watched() as show:
        for done in range(0, 5501, 500):
            show(done, 5500)
        shown = terminal.getvalue()
    assert "reading the rooms" in shown
    assert "5500/5500" in shown
    assert terminal.getvalue().endswith("\x1b[2K")  # the line is cleared
    assert logs == []


def test_at_a_terminal_a_small_building_shows_no_progress_bar(terminal: Terminal) -> None:
    with terminal.watched() as show:
        show(0, 10)
        show(10, 10)
    assert terminal.getvalue() == ""


def test_a_bar_goes_away_when_the_round_is_broken_off(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt), terminal.watched() as show:  # noqa: PT012 - that is how
        show(1, 5500)
        raise KeyboardInterrupt
    assert terminal.getvalue().endswith("\x1b[2K")
