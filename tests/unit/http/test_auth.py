from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from placed.http.auth import HostNames, host_names
from placed.http.listen_options import parse_address
from placed.settings.output_settings import Http


def answered(
    listen: str, *, guarded: bool = False, machine: str = "Attic.contoso.example", **more: Any
) -> HostNames:
    return host_names(Http(listen=listen, **more), parse_address(listen), guarded=guarded, machine=machine)


@pytest.mark.parametrize(
    ("host", "answers"),
    [
        ("attic", True),
        ("ATTIC:8620", True),
        ("attic.local", True),
        ("attic.contoso.example", True),
        ("attic.contoso.example.", True),
        ("attic.evil.example", False),
        ("localhost:8620", True),
        ("192.0.2.7", True),
        ("192.0.2.7.evil.example", False),
        ("[2001:db8::1]:8620", True),
        ("2001:db8::1", False),
        ("[2001:db8::1", False),
        ("3232235777", False),
        ("0x7f.1", False),
        ("evil.example", False),
        ("evil.example:192", False),
        ("", False),
        (".", False),
        ("att\u0131c", False),
        ("\udcff", False),
    ],
)
def test_beyond_loopback_addresses_and_names_of_this_machine_are_answered(host: str, answers: bool) -> None:  # noqa: FBT001
    assert answered("0.0.0.0:8620").accept(host) is answers


def test_names_can_be_added_everywhere() -> None:
    for listen in ("127.0.0.1:8620", "0.0.0.0:8620", "192.0.2.1:80"):
        for guarded in (False, True):
            found = answered(listen, guarded=guarded, hosts=["Rooms.Contoso.Example."])
            assert found.accept("rooms.contoso.example:443")
            assert not found.accept("evil.example")


def test_a_name_that_is_listened_on_is_answered() -> None:
    assert answered("building.example:80").accept("building.example")


def test_what_is_guarded_otherwise_is_answered_under_any_name_until_names_are_set() -> None:
    assert answered("0.0.0.0:8620", guarded=True).accept("anything.example")
    assert not answered("127.0.0.1:8620", guarded=True).accept("anything.example")


@pytest.mark.parametrize(
    "name", ["https://rooms.example", "rooms.example:8620", "", "*", "*.example", "a b", "rooms/", ".example"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match=r"expected a name such as rooms\.contoso\.com"):
        Http(hosts=[name])  # type: ignore[arg-type] # as a file has it


@pytest.mark.parametrize(
    "origin", ["signage.example", "https://signage.example/", "*", "https://a;b", "'self'"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError, match=r"expected where a page is from"):
        Http(frame_ancestors=(origin,))
