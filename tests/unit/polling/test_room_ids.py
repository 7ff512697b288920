"""The room book: what a room is called, for good."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.driver import ConnectionSettings, FoundRoom
from placed.polling.room_ids import RoomIds
from placed.polling.room_slugs import slug, slug_of_name
from placed.settings.room_settings import RoomSettings

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


def found(*addresses: str) -> list[FoundRoom]:
    return [FoundRoom(address, f"object-of-{address}") for address in addresses]


class ConnectionWithRooms(ConnectionSettings):
    """A connection whose settings name its rooms."""

    rooms: tuple[str, ...]

    @property
    def named_rooms(self) -> frozenset[str]:
        """The addresses."""
        return frozenset(self.rooms)


def ids(book: RoomIds, connection: str, *addresses: str) -> list[str]:
    return [room.id for room in book.rooms(connection, UTC, found(*addresses))]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("boardroom@contoso.example", "boardroom"),
        ("BoardRoom@Contoso.example", "boardroom"),
        ("floor-2_east@contoso.example", "floor-2_east"),
        ("hq.3.017@contoso.example", "hq-3-017"),
        ("o'hara+video@contoso.example", "o-hara-video"),
        ("größe@contoso.example", "gr--e"),
        ("會議室@contoso.example", "---"),
        ("a/b#c d@contoso.example", "a-b-c-d"),
        ("a@b@contoso.example", "a"),
        ("boardroom", "boardroom"),
        ("@contoso.example", "room"),
        ("", "room"),
    ],
)
def test_an_id_is_the_local_part_in_letters_that_fit_everywhere(address: str, expected: str) -> None:
    assert slug(address) == expected


@given(st.text())
def test_every_address_has_an_id_that_fits_a_topic_and_a_url(address: str) -> None:
    assert re.fullmatch("[a-z0-9_-]+", slug(address))


def test_on_a_clash_the_connections_name_goes_in_front() -> None:
    book = RoomIds({})
    assert ids(book, "contoso", "boardroom@contoso.example") == ["boardroom"]
    assert ids(book, "fabrikam", "boardroom@fabrikam.example") == ["fabrikam-boardroom"]


def test_a_clash_within_one_connection_is_settled_too() -> None:
    assert ids(
        RoomIds({}), "contoso", "a.b@contoso.example", "a-b@contoso.example", "a+b@contoso.example"
    ) == [
        "a-b",
        "contoso-a-b",
        "contoso-a-b-2",
    ]


def test_rooms_come_in_the_order_of_their_ids_however_they_are_listed() -> None:
    one = ids(RoomIds({}), "contoso", "b@contoso.example", "a.x@contoso.example", "a-x@contoso.example")
    other = ids(RoomIds({}), "contoso", "a-x@contoso.example", "b@contoso.example", "a.x@contoso.example")
    assert one == other == ["a-x", "b", "contoso-a-x"]


def test_an_id_stays_when_the_room_that_it_clashed_with_goes() -> None:
    book = RoomIds({})
    ids(book, "contoso", "a-b@contoso.example", "a.b@contoso.example")
    assert ids(book, "contoso", "a.b@contoso.example") == ["contoso-a-b"]
    assert ids(RoomIds({}, book.given), "contoso", "a.b@contoso.example") == ["contoso-a-b"]


def test_the_id_of_a_room_that_went_waits_for_it() -> None:
    book = RoomIds({})
    ids(book, "contoso", "a-b@contoso.example", "a.b@contoso.example")
    assert ids(book, "contoso", "a-b@contoso.example") == ["a-b"]
    assert ids(book, "contoso", "a-b@contoso.example", "a.b@contoso.example") == ["a-b", "contoso-a-b"]


def test_the_id_of_a_room_that_went_is_free_for_a_room_that_comes() -> None:
    book = RoomIds({})
    assert ids(book, "contoso", "boardroom@old.example") == ["boardroom"]
    assert ids(RoomIds({}, book.given), "contoso", "boardroom@new.example") == ["boardroom"]


def test_the_id_of_a_room_whose_connection_was_not_read_yet_is_not_free() -> None:
    book = RoomIds({})
    ids(book, "contoso", "boardroom@contoso.example")
    again = RoomIds({}, book.given)
    again.keep(["contoso", "fabrikam"])
    assert ids(again, "fabrikam", "boardroom@fabrikam.example") == ["fabrikam-boardroom"]


def test_the_ids_of_a_connection_that_is_not_in_the_settings_any_more_are_free() -> None:
    book = RoomIds({})
    ids(book, "contoso", "boardroom@contoso.example")
    again = RoomIds({}, book.given)
    again.keep(["fabrikam"])
    assert ids(again, "fabrikam", "boardroom@fabrikam.example") == ["boardroom"]


def test_after_a_restart_ids_do_not_depend_on_the_order_of_connections() -> None:
    book = RoomIds({})
    ids(book, "contoso", "boardroom@contoso.example")
    ids(book, "fabrikam", "boardroom@fabrikam.example")
    again = RoomIds({}, book.given)
    assert ids(again, "fabrikam", "boardroom@fabrikam.example") == ["fabrikam-boardroom"]
    assert ids(again, "contoso", "boardroom@contoso.example") == ["boardroom"]


def test_an_id_stays_when_the_case_of_its_address_changes() -> None:
    book = RoomIds({})
    ids(book, "contoso", "boardroom@contoso.example")
    assert ids(book, "contoso", "BoardRoom@Contoso.example") == ["boardroom"]
    assert list(book.given) == ["contoso/boardroom@contoso.example"]


def test_an_address_that_is_listed_twice_is_one_room() -> None:
    rooms = RoomIds({}).rooms("contoso", UTC, found("A@contoso.example", "a@contoso.example"))
    assert [(room.id, room.address) for room in rooms] == [("a", "a@contoso.example")]


addresses = st.lists(
    st.sampled_from(["a.b", "a-b", "a+b", "A-B", "contoso-a-b", "c"]).map(lambda n: f"{n}@x.example")
)
rounds = st.lists(st.tuples(st.sampled_from(["contoso", "fabrikam"]), addresses, st.booleans()))


@given(rounds)
def test_the_id_of_a_room_that_is_there_never_changes_and_never_names_two_rooms(
    history: list[tuple[str, list[str], bool]],
) -> None:
    book = RoomIds({})
    there: dict[str, dict[str, str]] = {"contoso": {}, "fabrikam": {}}
    for connection, listed, restarted in history:
        if restarted:
            book = RoomIds({}, dict(book.given))
        now = {room.address: room.id for room in book.rooms(connection, UTC, found(*listed))}
        for address in now.keys() & there[connection].keys():
            assert now[address] == there[connection][address]
        there[connection] = now
        everywhere = [room_id for rooms in there.values() for room_id in rooms.values()]
        assert len(set(everywhere)) == len(everywhere)


def connection(name: str, *rooms: str) -> ConnectionWithRooms:
    return ConnectionWithRooms(name=name, driver="any", rooms=rooms)


def test_a_room_that_is_moved_to_another_connection_keeps_its_id() -> None:
    book = RoomIds({})
    book.share_out([connection("berlin", "boardroom", "library"), connection("vienna", "atrium")])
    assert ids(book, "berlin", "boardroom", "library") == ["boardroom", "library"]
    assert ids(book, "vienna", "atrium") == ["atrium"]
    book.share_out([connection("berlin", "library"), connection("vienna", "atrium", "boardroom")])
    assert ids(book, "vienna", "atrium", "boardroom") == ["atrium", "boardroom"]
    assert ids(book, "berlin", "library") == ["library"]
    again = RoomIds({}, *book.remembered)
    assert ids(again, "vienna", "atrium", "boardroom") == ["atrium", "boardroom"]


def test_a_room_that_two_connections_name_has_two_ids() -> None:
    book = RoomIds({})
    book.share_out([connection("berlin", "boardroom"), connection("vienna", "boardroom")])
    assert ids(book, "berlin", "boardroom") == ["boardroom"]
    assert ids(book, "vienna", "boardroom") == ["vienna-boardroom"]


# --- what is settled ----------------------------------------------------------------------------------------


def test_a_settled_id_goes_before_that_of_the_address() -> None:
    book = RoomIds({"Boardroom@Contoso.example": RoomSettings(id="big")})
    assert ids(book, "contoso", "boardroom@contoso.example") == ["big"]


def test_a_settled_id_is_kept_from_rooms_that_would_have_it_by_their_address() -> None:
    book = RoomIds({"one@contoso.example": RoomSettings(id="two")})
    assert ids(book, "contoso", "two@contoso.example") == ["contoso-two"]
    assert ids(book, "contoso", "one@contoso.example", "two@contoso.example") == ["contoso-two", "two"]


def test_a_settled_id_is_taken_from_the_room_that_had_it() -> None:
    before = RoomIds({})
    ids(before, "contoso", "two@contoso.example")
    book = RoomIds({"one@contoso.example": RoomSettings(id="two")}, before.given)
    assert ids(book, "contoso", "one@contoso.example", "two@contoso.example") == ["contoso-two", "two"]
    later = RoomIds({}, book.given)  # and the setting goes: who has got another id keeps it
    assert ids(later, "contoso", "one@contoso.example", "two@contoso.example") == ["contoso-two", "one"]


def test_a_settled_id_names_one_room_where_two_connections_list_its_address() -> None:
    book = RoomIds({"boardroom": RoomSettings(id="big")})
    assert ids(book, "berlin", "boardroom") == ["big"]
    assert ids(book, "vienna", "boardroom") == ["boardroom"]
    assert book.without_id_of_table("berlin") == []
    assert book.without_id_of_table("vienna") == ["boardroom"]
    assert book.without_id_of_table("vienna") == []
    ids(book, "berlin", "library")
    assert ids(book, "vienna", "boardroom") == ["big"]


def test_of_connections_that_name_a_room_the_first_one_s_has_the_settled_id() -> None:
    settings = [
        ConnectionWithRooms(name=name, driver="any", rooms=("boardroom",)) for name in ("berlin", "vienna")
    ]
    book = RoomIds({"Boardroom": RoomSettings(id="big")})
    book.share_out(settings)
    assert ids(book, "vienna", "boardroom") == ["boardroom"]
    assert ids(book, "berlin", "boardroom") == ["big"]
    book.share_out(settings[::-1])
    assert ids(book, "vienna", "boardroom") == ["boardroom"]  # until the other room has given it up
    assert ids(book, "berlin", "boardroom") == ["berlin-boardroom"]
    assert ids(book, "vienna", "boardroom") == ["big"]
    book.share_out(settings[:1])
    assert ids(book, "berlin", "boardroom") == ["big"]


def test_room_settings_take_precedence_over_the_service() -> None:
    settled = RoomSettings(id="big", name="Big Room", building="B", floor="2", capacity=12, time_zone=BERLIN)
    listing = FoundRoom("Room@contoso.example", "guid", "Room", "A", "1", 4)
    (room,) = RoomIds({"room@contoso.example": settled}).rooms("contoso", UTC, [listing])
    assert (room.id, room.name, room.building, room.floor) == ("big", "Big Room", "B", "2")
    assert (room.capacity, room.time_zone) == (12, BERLIN)
    assert (room.connection, room.address, room.mailbox) == ("contoso", "room@contoso.example", "guid")


def test_without_a_setting_the_service_is_used_and_then_the_connection() -> None:
    listing = FoundRoom("room@contoso.example", "guid", "Room", "A", "1", 4)
    book = RoomIds({"room@contoso.example": RoomSettings(floor="2")})
    (room,) = book.rooms("contoso", BERLIN, [listing])
    assert (room.id, room.name, room.building, room.floor) == ("room", "Room", "A", "2")
    assert (room.capacity, room.time_zone) == (4, BERLIN)


def test_a_room_without_a_name_has_that_of_its_address() -> None:
    (room,) = RoomIds({}).rooms("contoso", UTC, found("Board.Room@contoso.example"))
    assert room.name == "board.room"


def opaque(address: str, name: str | None = None, zone: str | None = None) -> FoundRoom:
    return FoundRoom(address, address, name=name, opaque_address=True, time_zone=zone)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Training Room 1A (16)", "training-room-1a-16"), ("Café Ünion / 3", "cafe-union-3"), ("会議室", "")],
)
def test_a_name_becomes_an_id(name: str, expected: str) -> None:
    assert slug_of_name(name) == expected


def test_an_opaque_address_gives_no_id_where_there_is_a_name() -> None:
    book = RoomIds({"c_3@x.example": RoomSettings(name="Quiet Corner")})
    listed = [opaque("c_1@x.example", "Boardroom"), opaque("c_2@x.example"), opaque("c_3@x.example")]
    assert {room.address: room.id for room in book.rooms("one", UTC, listed)} == {
        "c_1@x.example": "boardroom",
        "c_2@x.example": "c_2",
        "c_3@x.example": "quiet-corner",
    }


def test_an_id_stays_with_the_opaque_address_when_the_name_changes() -> None:
    book = RoomIds({})
    book.rooms("one", UTC, [opaque("c_1@x.example", "Boardroom")])
    renamed = [opaque("c_1@x.example", "Big Room"), opaque("c_2@x.example", "Boardroom")]
    assert {room.address: room.id for room in book.rooms("one", UTC, renamed)} == {
        "c_1@x.example": "boardroom",
        "c_2@x.example": "one-boardroom",
    }


def test_a_calendar_s_own_time_zone_counts_where_the_settings_name_none() -> None:
    book = RoomIds({"c_2@x.example": RoomSettings(time_zone=ZoneInfo("Asia/Tokyo"))})
    listed = [opaque(f"c_{n}@x.example", zone=zone) for n, zone in enumerate(("Europe/Berlin", "Mars/X"), 1)]
    zones = {room.address: room.time_zone.key for room in book.rooms("one", UTC, listed)}
    assert zones == {"c_1@x.example": "Europe/Berlin", "c_2@x.example": "Asia/Tokyo"}
    assert [room.zone_is_set for room in book.rooms("one", UTC, listed)] == [False, True]
    (unknown,) = RoomIds({}).rooms("one", UTC, [opaque("c_3@x.example", zone="Mars/X")])
    assert unknown.time_zone.key == "UTC"


def test_the_ids_that_are_given_are_not_compared_for_each_room() -> None:
    """With 50,000 rooms nothing was published for minutes."""

    class Counted(dict[str, str]):
        looks = 0

        def keys(self) -> Any:
            self.looks += 1
            return super().keys()

    book = RoomIds({})
    book.given = kept = Counted()
    book.rooms("contoso", UTC, found(*(f"room{number}@contoso.example" for number in range(100))))
    assert len(kept) == 100
    assert kept.looks < 10
