"""The room book, where the service knows rooms by object ids: an id stays though the address changes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.board.board import Board
from placed.domain.model import Room, Status
from placed.domain.privacy import Show
from placed.driver import FoundRoom
from placed.polling.room_ids import RoomIds
from placed.settings.room_settings import RoomSettings
from tests.support.domain_builders import POLICY, at, schedule

ZONE = ZoneInfo("UTC")
BOARD, LIBRARY = "b0000000-0000-0000-0000-000000000001", "b0000000-0000-0000-0000-000000000002"


def user(object_id: str, address: str | None, name: str | None = None) -> FoundRoom:
    return FoundRoom(address or object_id, object_id, name, object_id=object_id)


def book_of(book: RoomIds, *found: FoundRoom) -> dict[str, str]:
    return {room.mailbox: room.id for room in book.rooms("contoso", ZONE, found)}


def restarted(book: RoomIds, overrides: dict[str, RoomSettings] | None = None) -> RoomIds:
    return RoomIds(overrides or {}, dict(book.given), dict(book.objects))


@pytest.mark.parametrize("restart", [False, True])
def test_an_id_stays_when_the_address_changes(*, restart: bool) -> None:
    book = RoomIds({})
    assert book_of(book, user(BOARD, "boardroom@contoso.example")) == {BOARD: "boardroom"}
    book = restarted(book) if restart else book
    assert book_of(book, user(BOARD, "big-room@contoso.example")) == {BOARD: "boardroom"}
    assert book_of(book, user(BOARD, "boardroom@new.example")) == {BOARD: "boardroom"}
    assert list(book.given.values()) == ["boardroom"]


def test_an_id_stays_where_earlier_versions_remembered_the_address_alone() -> None:
    book = RoomIds({}, {"contoso/boardroom@contoso.example": "big"})
    assert book_of(book, user(BOARD, "boardroom@contoso.example")) == {BOARD: "big"}
    assert book_of(book, user(BOARD, "other@contoso.example")) == {BOARD: "big"}


def test_of_two_rooms_with_one_address_none_is_lost() -> None:
    book = RoomIds({})
    found = book_of(book, user(BOARD, "a@contoso.example"), user(LIBRARY, "a@contoso.example"))
    assert found == {BOARD: "a", LIBRARY: LIBRARY}


def test_rooms_that_exchange_their_addresses_keep_their_ids() -> None:
    book = RoomIds({})
    book_of(book, user(BOARD, "a@contoso.example"), user(LIBRARY, "b@contoso.example"))
    assert book_of(book, user(BOARD, "b@contoso.example"), user(LIBRARY, "a@contoso.example")) == {
        BOARD: "a",
        LIBRARY: "b",
    }


def test_a_new_room_with_the_address_of_one_that_moved_gets_an_id_of_its_own() -> None:
    book = RoomIds({})
    book_of(book, user(BOARD, "a@contoso.example"))
    assert book_of(book, user(BOARD, "old@contoso.example"), user(LIBRARY, "a@contoso.example")) == {
        BOARD: "a",
        LIBRARY: "contoso-a",
    }


def test_a_mailbox_that_was_made_again_at_the_same_address_has_the_same_id() -> None:
    book = RoomIds({})
    book_of(book, user(BOARD, "a@contoso.example"))
    assert book_of(book, user(LIBRARY, "a@contoso.example")) == {LIBRARY: "a"}
    assert book_of(book, user(LIBRARY, "b@contoso.example")) == {LIBRARY: "a"}
    assert book.objects == {f"contoso/{LIBRARY}": "a"}


@pytest.mark.parametrize("restart", [False, True])
def test_a_room_whose_address_is_not_reported_any_more_is_what_it_was(*, restart: bool) -> None:
    settings = {"boardroom@contoso.example": RoomSettings(floor="2")}
    book = RoomIds(settings)
    book_of(book, user(BOARD, "boardroom@contoso.example", "Boardroom"))
    book = restarted(book, settings) if restart else book
    (room,) = book.rooms("contoso", ZONE, [user(BOARD, None)])
    assert (room.id, room.address, room.floor) == ("boardroom", "boardroom@contoso.example", "2")
    assert room.name == ("boardroom" if restart else "Boardroom")


def test_a_room_whose_address_was_never_reported_is_named_by_its_object_id() -> None:
    settings = {BOARD.upper(): RoomSettings(name="Boardroom", capacity=8)}
    (room,) = RoomIds(settings).rooms("contoso", ZONE, [user(BOARD, None)])
    assert (room.id, room.name, room.capacity, room.mailbox) == (BOARD, "Boardroom", 8, BOARD)


def test_an_id_by_an_object_id_stays_when_the_address_is_reported() -> None:
    book = RoomIds({})
    assert book_of(book, user(BOARD, None)) == {BOARD: BOARD}
    assert book_of(book, user(BOARD, "boardroom@contoso.example")) == {BOARD: BOARD}


def test_two_rooms_never_have_one_address() -> None:
    book = RoomIds({})
    book_of(book, user(BOARD, "a@contoso.example"))
    found = book.rooms("contoso", ZONE, [user(BOARD, None), user(LIBRARY, "a@contoso.example")])
    assert len({room.address for room in found}) == len({room.id for room in found}) == 2


def test_an_object_that_is_listed_twice_is_one_room() -> None:
    found = [user(BOARD, "a@contoso.example"), user(BOARD, "b@contoso.example")]
    assert book_of(RoomIds({}), *found) == {BOARD: "a"}


objects = st.sampled_from([f"o{n}" for n in range(4)])
addresses = st.sampled_from([None, *(f"{name}@x.example" for name in ("a.b", "a-b", "a+b", "c"))])
lists = st.lists(st.tuples(objects, addresses), max_size=4, unique_by=(lambda o: o[0], lambda o: o[1] or o))


@given(st.lists(st.tuples(lists, st.booleans())))
def test_the_id_of_an_object_that_is_there_never_changes(
    history: list[tuple[list[tuple[str, str | None]], bool]],
) -> None:
    book, before = RoomIds({}), dict[str, str]()
    for listed, restart in history:
        book = restarted(book) if restart else book
        now = book_of(book, *(user(object_id, address) for object_id, address in listed))
        assert len(now) == len(set(now.values())) == len(listed)
        assert {o: now[o] for o in now.keys() & before.keys()} == {
            o: before[o] for o in now.keys() & before.keys()
        }
        assert len(set(book.given.values())) == len(book.given)
        assert len(set(book.objects.values())) == len(book.objects)
        before = now


# --- ids that are not for good ------------------------------------------------------------------------------


def never(_mailbox: str) -> bool:
    return False


def test_a_room_that_was_never_read_gets_an_id_by_its_address_as_soon_as_that_is_known() -> None:
    book = RoomIds({})
    assert [room.id for room in book.rooms("contoso", ZONE, [user(BOARD, None)], never)] == [BOARD]
    assert [room.id for room in book.rooms("contoso", ZONE, [user(BOARD, None)], never)] == [BOARD]
    assert book.remembered == ({}, {})
    assert book_of(book, user(BOARD, "boardroom@contoso.example")) == {BOARD: "boardroom"}
    assert book.remembered == (
        {"contoso/boardroom@contoso.example": "boardroom"},
        {f"contoso/{BOARD}": "boardroom"},
    )


def test_the_id_of_a_room_that_was_read_is_for_good() -> None:
    book = RoomIds({})
    book.rooms("contoso", ZONE, [user(BOARD, None)], never)
    book.rooms("contoso", ZONE, [user(BOARD, None)], lambda mailbox: mailbox == BOARD)
    again = RoomIds({}, *book.remembered)
    assert [room.id for room in again.rooms("contoso", ZONE, [user(BOARD, None)], never)] == [BOARD]
    assert book_of(again, user(BOARD, "boardroom@contoso.example")) == {BOARD: BOARD}


# --- tables that fit no room ------------------------------------------------------------------------------


def test_tables_that_fit_no_room_are_reported_once_and_after_every_list() -> None:
    tables = {"A@contoso.example": RoomSettings(), "Typo@contoso.example": RoomSettings(id="typo")}
    book = RoomIds(tables)
    book.keep(["contoso", "fabrikam"])
    book_of(book, user(BOARD, "a@contoso.example"))
    assert book.listed("contoso") == []
    assert book.listed("fabrikam") == ["Typo@contoso.example"]
    assert book.listed("contoso") == []


def test_a_table_by_object_id_fits() -> None:
    book = RoomIds({BOARD: RoomSettings()})
    book.keep(["contoso"])
    book_of(book, user(BOARD, "a@contoso.example"))
    assert book.listed("contoso") == []


# --- the board --------------------------------------------------------------------------------------------


def room(address: str, mailbox: str = BOARD) -> Room:
    return Room("boardroom", "contoso", address, mailbox, "Boardroom", ZONE, object_id=mailbox)


def board() -> Board:
    made = Board(POLICY, Show.NOTHING, lambda: at("9:00"), epoch=1)
    made.enroll("contoso", [room("a@contoso.example")])
    made.learn("boardroom", schedule())
    return made


def is_known(made: Board) -> bool:
    statement = made.statement("boardroom")
    return statement is not None and statement.occupancy.status is not Status.UNKNOWN


def test_a_room_with_a_new_address_is_known_all_the_same() -> None:
    made = board()
    made.touched.clear()
    made.enroll("contoso", [room("b@contoso.example")])
    assert is_known(made)
    assert set(made.touched) == {("contoso", "a@contoso.example"), ("contoso", "b@contoso.example")}


def test_a_mailbox_that_was_made_again_does_not_have_the_meetings_of_the_one_before() -> None:
    made = board()
    made.enroll("contoso", [room("a@contoso.example", LIBRARY)])
    assert not is_known(made)


def test_after_a_reload_a_mailbox_does_not_have_the_meetings_of_the_one_that_had_its_id() -> None:
    following = Board(POLICY, Show.NOTHING, lambda: at("9:00"), epoch=1)
    for known in board().known():
        following.remember(known)
    following.enroll("contoso", [room("b@contoso.example", LIBRARY)])
    assert not is_known(following)
