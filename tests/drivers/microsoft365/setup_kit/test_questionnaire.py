"""Answers to the questions of `placed setup`: which are taken, and how invalid ones are reported."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from placed.driver import KitError
from placed_microsoft365.setup_kit import write_kit
from tests.drivers.microsoft365.setup_kit.sample_kits import (
    GIVEN,
    HOSTILE,
    NOW,
    ROOMS,
    SOURCES,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path


def problems(error: KitError) -> list[tuple[str, str]]:
    return [(problem.key, problem.at("").line) for problem in error.problems]


@pytest.mark.parametrize(
    ("wrong", "key", "output"),
    [
        ({"tenant": "contoso"}, "tenant", "expected the tenant's domain name"),
        ({"tenant": "9aa1f7b2-5d3e-4c54-8a1b"}, "tenant", "or its GUID"),
        ({"tenant": "contoso.com\nx"}, "tenant", "domain name"),
        ({"client_id": "9aa1"}, "client_id", "a GUID"),
        ({"time_zone": "Berlin"}, "time_zone", "expected an IANA time zone such as Europe/Berlin"),
        ({"cloud": "germany"}, "cloud", "expected one of worldwide, usgov, usgov-dod, china"),
        ({"fence.kind": "none"}, "fence.kind", "expected access-policy or rbac"),
        ({"fence.canaries": " , "}, "fence.canaries", "without one nothing proves the fence"),
        ({"fence.canaries": "someone"}, "fence.canaries", "expected a mail address"),
        ({"fence.canaries": "Boardroom@contoso.com"}, "fence.canaries", "one of them is among the rooms"),
        ({"rooms": "boardroom"}, "rooms", "expected a mail address such as boardroom@contoso.com"),
        ({"rooms": "a@contoso.com, b@"}, "rooms", "number 2 of them"),
        ({"rooms": ""}, "rooms", "expected one of rooms, room_group and room_list"),
        ({"room_group": "g@contoso.com"}, "rooms", "expected one of rooms, room_group and room_list"),
        ({"rooms": "", "room_group": "rooms"}, "room_group", "expected a mail address"),
        ({"rooms": "", "room_list": "**"}, "room_list", "expected a mail address"),
    ],
)
def test_an_invalid_answer_is_reported_in_one_line(
    wrong: dict[str, str], key: str, output: str, tmp_path: Path
) -> None:
    answers = {**GIVEN, **ROOMS, **wrong}
    with pytest.raises(KitError) as error:
        write_kit("contoso", answers, tmp_path / "kit", now=NOW, renew=False)
    ((found, message),) = problems(error.value)
    assert found == key
    assert output in message
    assert not (tmp_path / "kit").exists()


def test_all_invalid_answers_are_reported_together_without_naming_an_outsider(tmp_path: Path) -> None:
    wrong = {"tenant": "x", "rooms": "a@b", "fence.canaries": "ada lovelace@contoso.com", "time_zone": "x"}
    with pytest.raises(KitError) as error:
        write_kit("contoso", wrong, tmp_path / "kit", now=NOW, renew=False)
    assert {key for key, _ in problems(error.value)} == {"tenant", "rooms", "fence.canaries", "time_zone"}
    assert "lovelace" not in str(problems(error.value))


@pytest.mark.parametrize(
    "address",
    ['"a b"@contoso.com', "a;b@contoso.com", "a\nb@contoso.com", "a(b)@contoso.com", "ä@contoso.com"],
)
def test_what_no_address_in_exchange_holds_does_not_get_into_a_script(address: str, tmp_path: Path) -> None:
    with pytest.raises(KitError, match="expected a mail address"):
        write(tmp_path, rooms=address)


def test_odd_addresses_that_are_good_are_taken_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, rooms=",".join(HOSTILE))
    (table,) = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]
    assert table["rooms"] == list(HOSTILE)


def test_the_same_room_twice_is_one_room(tmp_path: Path) -> None:
    write(tmp_path, rooms="a@contoso.com, A@Contoso.com , b@contoso.com,")
    (table,) = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]
    assert table["rooms"] == ["a@contoso.com", "b@contoso.com"]


@pytest.mark.parametrize("source", ["rooms", "room_list", "all rooms"])
def test_the_fence_has_a_group_of_its_own_where_the_rooms_come_from_none(source: str, tmp_path: Path) -> None:
    write(tmp_path, SOURCES[source])
    assert "[string] $Group = 'placed-contoso-rooms@contoso.com'" in (tmp_path / "fence-rbac.ps1").read_text()


@pytest.mark.parametrize(
    "address",
    [
        "*@contoso.com",
        "board*@contoso.com",
        "b?ard@contoso.com",
        "a[bc]@contoso.com",
        'a"b@contoso.com',
        "a b@x.com",
    ],
)
@pytest.mark.parametrize("key", ["rooms", "room_group", "room_list", "fence.canaries"])
def test_an_address_with_a_wildcard_is_refused(tmp_path: Path, key: str, address: str) -> None:
    """To Exchange, -Identity * is everybody."""
    with pytest.raises(KitError) as caught:
        write(tmp_path / "kit", {key: address})
    assert caught.value.problems[0].key == key
    assert "expected a mail address such as boardroom@contoso.com" in str(caught.value)
    assert not (tmp_path / "kit" / "room-group.ps1").exists()


@pytest.mark.parametrize("key", ["cloud", "time_zone", "tenant", "client_id", "fence.kind", "room_group"])
def test_a_refused_answer_is_reported_in_the_terms_of_the_manual(tmp_path: Path, key: str) -> None:
    with pytest.raises(KitError) as caught:
        write(tmp_path / "kit", {key: "\u2603 ?"})
    for problem in caught.value.problems:
        assert "expected" in problem.line
        assert not re.search(r"[Ii]nput should|pattern|\^\[|pydantic|valid string", problem.line)
