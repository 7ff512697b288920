"""Nothing lies in the state directory that may not be shown: not in rows, free pages, logs or leftovers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from placed.domain.model import Schedule
from placed.domain.privacy import Show, permitted
from placed.domain.state_document import meeting_document
from placed.store import Journal
from placed.store.database import NAME
from placed.store.records import Key, Kind, Reading, encoded
from tests.component.store.daemon_run import DaemonRun
from tests.support.domain_builders import DAY, at, meeting

if TYPE_CHECKING:
    from pathlib import Path

TITLE, ORGANIZER = "Layoffs-in-spring", "Ada-Lovelace-Example"
SECRET_TITLE, SECRET_ORGANIZER = "Dentist-at-noon", "Grace-Hopper-Example"
SHOWN = {
    Show.NOTHING: set(),
    Show.ORGANIZER: {ORGANIZER},
    Show.TITLE: {TITLE},
    Show.EVERYTHING: {TITLE, ORGANIZER},
}
MEETINGS = (
    meeting("9:30", "10:00", title=TITLE, organizer=ORGANIZER),
    meeting("11:00", "12:00", title=SECRET_TITLE, organizer=SECRET_ORGANIZER, private=True),
)


def on_disk(folder: Path) -> set[str]:
    """Which of the four texts are anywhere in the folder, byte for byte."""
    content = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    texts = (TITLE, ORGANIZER, SECRET_TITLE, SECRET_ORGANIZER)
    return {text for text in texts if text.encode() in content}


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def lived(folder: Path, show: Show, *, closed: bool = True) -> DaemonRun:
    """A run of the daemon that reads both meetings and stores them."""
    journal = Journal(folder)
    daemon_run = DaemonRun(journal, show=show)
    journal.permit(show)
    daemon_run.enroll()
    schedule = Schedule(MEETINGS, DAY - timedelta(days=1), DAY + timedelta(days=2), daemon_run.clock.now())
    daemon_run.board.learn("boardroom", schedule)
    await daemon_run.store_writer.write_all()
    if closed:
        journal.close()
    return daemon_run


@pytest.mark.parametrize("show", list(Show))
@pytest.mark.parametrize("closed", [True, False])
async def test_only_what_may_be_shown_is_written(tmp_path: Path, show: Show, *, closed: bool) -> None:
    daemon_run = await lived(tmp_path, show, closed=closed)
    assert on_disk(tmp_path) == SHOWN[show]
    daemon_run.journal.close()


@pytest.mark.parametrize("before", [Show.EVERYTHING, Show.ORGANIZER, Show.TITLE])
@pytest.mark.parametrize("after", list(Show))
@pytest.mark.parametrize("killed", [True, False])
async def test_with_another_setting_what_was_written_before_is_taken_away_at_the_start(
    tmp_path: Path, before: Show, after: Show, *, killed: bool
) -> None:
    daemon_run = await lived(tmp_path, before, closed=not killed)
    with closing(Journal(tmp_path)) as journal:
        journal.permit(after)
        assert on_disk(tmp_path) == SHOWN[before] & SHOWN[after]
        recalled = DaemonRun(journal, daemon_run.clock, show=after).recalled()["boardroom"].schedule
        assert recalled is not None  # the times are still known
        assert [m.start for m in recalled.meetings] == [m.start for m in MEETINGS]
        assert on_disk(tmp_path) == SHOWN[before] & SHOWN[after]
    daemon_run.journal.close()


async def test_what_is_left_is_as_fresh_as_it_was(tmp_path: Path) -> None:
    daemon_run = await lived(tmp_path, Show.EVERYTHING, closed=False)
    daemon_run.pass_(minutes=10)
    daemon_run.confirm("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.journal.close()
    with closing(Journal(tmp_path)) as journal:
        journal.permit(Show.NOTHING)
        recalled = DaemonRun(journal, daemon_run.clock, show=Show.NOTHING).recalled()["boardroom"].schedule
    assert recalled is not None
    assert recalled.read_at == daemon_run.clock.now()


async def test_so_is_what_an_earlier_version_kept_of_rooms_that_are_gone(tmp_path: Path) -> None:
    schedule = Schedule(MEETINGS, DAY - timedelta(days=1), DAY + timedelta(days=2), at("9:00"))
    with closing(Journal(tmp_path)) as journal:
        journal.load()
        key = Key(Kind.SCHEDULE, "contoso", "gone@contoso.example")
        journal.write_all(
            [(key, encoded(Reading(schedule, at("9:00")))), (key._replace(room="odd"), b"\xa5title")]
        )
        assert len(on_disk(tmp_path)) == 4
    with closing(Journal(tmp_path)) as journal:
        journal.permit(Show.ORGANIZER)
        assert on_disk(tmp_path) == {ORGANIZER}


async def test_a_meeting_that_is_made_private_leaves_nothing_behind(tmp_path: Path) -> None:
    daemon_run = await lived(tmp_path, Show.EVERYTHING, closed=False)
    hidden = tuple(replace(one, private=True) for one in MEETINGS)
    schedule = Schedule(hidden, DAY - timedelta(days=1), DAY + timedelta(days=2), daemon_run.clock.now())
    daemon_run.board.learn("boardroom", schedule)
    await daemon_run.store_writer.write_all()
    await daemon_run.store_writer.scrub()
    assert on_disk(tmp_path) == set()
    daemon_run.journal.close()


async def test_a_broken_file_is_not_kept_nor_one_that_an_earlier_version_put_aside(tmp_path: Path) -> None:
    await lived(tmp_path, Show.EVERYTHING)
    content = (tmp_path / NAME).read_bytes()
    for name in (f"{NAME}.broken", f"{NAME}.broken-wal", f"{NAME}.broken-shm"):
        (tmp_path / name).write_bytes(content)
    (tmp_path / NAME).write_bytes(b"SQLite format 3\0" + content[64:])
    with closing(Journal(tmp_path)) as journal:
        journal.load()
        assert on_disk(tmp_path) == set()
        assert not [name for name in names(tmp_path) if ".broken" in name]


@pytest.mark.parametrize("there", [True, False])
async def test_a_disconnect_leaves_nothing_of_a_connection(tmp_path: Path, *, there: bool) -> None:
    daemon_run = await lived(tmp_path, Show.EVERYTHING, closed=not there)
    (tmp_path / f"{NAME}.broken").write_bytes((tmp_path / NAME).read_bytes())
    if not there:
        (tmp_path / NAME).unlink()
    with closing(Journal(tmp_path)) as journal:
        journal.forget("contoso")
        assert on_disk(tmp_path) == set()
    daemon_run.journal.close()


@pytest.mark.slow  # real time: a database is locked for a second
async def test_a_scrub_blocked_by_another_reader_is_repeated(tmp_path: Path) -> None:
    daemon_run = await lived(tmp_path, Show.EVERYTHING, closed=False)
    with closing(sqlite3.connect(tmp_path / NAME)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM record").fetchone()
        daemon_run.board.learn(
            "boardroom", Schedule((), DAY, DAY + timedelta(days=1), daemon_run.clock.now())
        )
        await daemon_run.store_writer.write_all()
        await daemon_run.store_writer.scrub()
    await daemon_run.store_writer.scrub()
    assert on_disk(tmp_path) == set()
    daemon_run.journal.close()


@pytest.mark.parametrize("show", list(Show))
def test_what_is_kept_of_a_meeting_is_what_is_shown_of_it(show: Show) -> None:
    for one in MEETINGS:
        kept = permitted(one, show)
        document = meeting_document(one, show)
        assert (kept.title, kept.organizer) == (document["title"], document["organizer"])
        assert meeting_document(kept, show) == document
