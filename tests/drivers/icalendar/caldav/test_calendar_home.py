"""The home is found by its own address, or by way of the server's; and the calendars in it are rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import FoundRoom, NotPermitted, UnexpectedAnswer
from placed_icalendar.caldav.calendar_listing import Calendar, rooms_of
from placed_icalendar.simulator.caldav_host import DavFault, Kind, Where
from tests.drivers.icalendar.caldav.caldav_setup import BERLIN, names, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup


async def found(setup: CalDavSetup, **changes: Any) -> Sequence[FoundRoom]:
    return await setup.open(**changes).find_rooms()


@pytest.mark.parametrize("path", ["", "/", "/dav", "/dav/", "/dav/principals/placed/", "/nothing/here"])
async def test_an_address_of_the_server_leads_to_the_home(caldav_setup: CalDavSetup, path: str) -> None:
    assert names(await found(caldav_setup, url=f"{caldav_setup.host.url}{path}")) == ["boardroom", "library"]


async def test_the_home_itself_needs_no_principal_of_the_account(caldav_setup: CalDavSetup) -> None:
    await found(caldav_setup)
    assert caldav_setup.host.service.home in caldav_setup.asked("PROPFIND")
    assert caldav_setup.asked("PROPFIND", "/principals/placed") == []


async def test_the_home_without_a_slash_at_its_end_is_the_same(caldav_setup: CalDavSetup) -> None:
    url = caldav_setup.host.home_url.rstrip("/")
    assert names(await found(caldav_setup, url=url)) == ["boardroom", "library"]


async def test_a_single_calendar_may_be_the_address(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open(url=f"{caldav_setup.host.home_url}library/")
    assert names(await driver.find_rooms()) == ["library"]
    assert words(await caldav_setup.read(driver, "library")) == ["read"]
    assert words(await caldav_setup.read(driver, "library")) == ["unchanged"]


async def test_id_and_name_of_a_room_are_those_of_its_calendar(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.add_room("räume & mehr", "Großer Saal", zone=BERLIN)
    caldav_setup.host.account.share("räume & mehr")
    *_, room = await found(caldav_setup)
    assert (room.address, room.name, room.time_zone) == ("räume & mehr", "Großer Saal", BERLIN)
    assert room.mailbox.isascii()
    *_, room = await found(caldav_setup, time_zone="Europe/Paris")
    assert room.time_zone is None


async def test_an_unknown_time_zone_of_a_calendar_is_left_to_the_settings(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.add_room("studio", zone="Customized Time Zone")
    caldav_setup.host.account.share("studio")
    *_, room = await found(caldav_setup)
    assert room.time_zone is None


async def test_only_the_calendars_that_the_settings_name_are_rooms(caldav_setup: CalDavSetup) -> None:
    settings = caldav_setup.settings(calendars=["library"])
    assert settings.named_rooms == frozenset({"library"})
    assert names(await found(caldav_setup, calendars=["library"])) == ["library"]


async def test_a_named_calendar_that_is_not_shared_is_a_room_that_cannot_be_read(
    caldav_setup: CalDavSetup,
) -> None:
    caldav_setup.host.account.unshare("library")
    driver = caldav_setup.open(calendars=["boardroom", "library"])
    assert names(await driver.find_rooms()) == ["boardroom", "library"]
    assert words(await caldav_setup.read(driver)) == ["read", "not_found"]


async def test_named_calendars_are_read_though_the_home_may_not_be_listed(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.HOME, status=403))
    driver = caldav_setup.open(calendars=["boardroom", "library"])
    with pytest.raises(NotPermitted):
        await driver.find_rooms()
    caldav_setup.host.faults.clear()
    await driver.find_rooms()
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.HOME, status=403))
    assert names(await driver.find_rooms()) == ["boardroom", "library"]


async def test_calendars_of_tasks_and_inboxes_are_no_rooms(caldav_setup: CalDavSetup) -> None:
    assert {"tasks", "inbox"}.isdisjoint(names(await found(caldav_setup)))


async def test_a_home_that_moved_is_found_again(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open(url=caldav_setup.host.url)
    await driver.find_rooms()
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.HOME, status=404, times=1))
    with pytest.raises(NotPermitted):
        await driver.find_rooms()
    caldav_setup.host.clear_requests()
    assert names(await driver.find_rooms()) == ["boardroom", "library"]
    assert caldav_setup.asked("PROPFIND", "/.well-known/caldav")


async def test_a_server_without_a_principal_asks_for_the_home(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.names_principal = False
    with pytest.raises(UnexpectedAnswer) as raised:
        await found(caldav_setup, url=caldav_setup.host.url)
    assert "no principal" in str(raised.value)
    assert "set url to the address of the calendar home" in raised.value.problem.remedy


async def test_a_principal_without_a_home_asks_for_the_home(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.names_home = False
    with pytest.raises(UnexpectedAnswer) as raised:
        await found(caldav_setup, url=caldav_setup.host.url)
    assert "no calendar home" in str(raised.value)


async def test_another_host_gets_no_password(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.home_at = "https://p42.calendars.example"
    with pytest.raises(UnexpectedAnswer) as raised:
        await found(caldav_setup, url=caldav_setup.host.url)
    assert "p42.calendars.example, which gets no password" in str(raised.value)
    assert "set url" in raised.value.problem.remedy


async def test_a_server_that_writes_http_behind_its_proxy_is_asked_by_https(
    caldav_setup: CalDavSetup,
) -> None:
    """As Nextcloud does where it does not know that its proxy speaks TLS."""
    caldav_setup.host.account.home_at = "http://localhost"
    assert names(await found(caldav_setup, url=caldav_setup.host.url)) == ["boardroom", "library"]


async def test_calendars_whose_names_differ_in_case_only_are_two_rooms(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.add_room("Library")
    caldav_setup.host.account.share("Library")
    addresses = names(await found(caldav_setup))
    assert len({address.lower() for address in addresses}) == len(addresses) == 3
    assert names(await found(caldav_setup)) == addresses


def test_each_calendar_of_a_name_that_the_settings_want_is_a_room() -> None:
    """One of them may be an empty copy: the room would be free whatever is booked in the other."""
    paths = ("/dav/ada/boardroom/", "/dav/placed/boardroom/", "/dav/placed/library/")
    calendars = [Calendar(path, path.split("/")[3], None, None, None) for path in paths]
    rooms = rooms_of(calendars, ["boardroom", "annex", "boardroom"], "/dav/placed/")
    assert [room.mailbox for room in rooms] == [*paths[:2], "/dav/placed/annex/"]
    assert rooms[0].address == "boardroom"
    assert len({room.address for room in rooms}) == 3
