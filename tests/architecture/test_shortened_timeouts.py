"""A constant that moves is moved in the fault campaigns too, which would not begin otherwise."""

from __future__ import annotations

from importlib import import_module

from tests.fault_injection.shortened_timeouts import SHORTENED, shortened


def values() -> dict[tuple[str, str], object]:
    names = [(module, name) for module, constants in SHORTENED.items() for name in constants]
    return {(module, name): getattr(import_module(module), name) for module, name in names}


def test_every_constant_that_the_campaigns_shorten_exists_and_gets_its_value_back() -> None:
    before = values()
    with shortened():
        assert values() == {(m, name): v for m, all_of in SHORTENED.items() for name, v in all_of.items()}
    assert values() == before
