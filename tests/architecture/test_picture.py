"""docs/architecture.md shows the imports as they are."""

from __future__ import annotations

from tests.architecture.picture import COMMAND, PAGE, below, direct, drawn


def test_an_arrow_is_drawn_only_where_it_does_not_follow_from_others() -> None:
    graph = {"cli": {"runtime", "mqtt"}, "runtime": {"mqtt"}, "mqtt": set[str]()}
    assert below("cli", graph) == {"runtime", "mqtt"}
    assert direct("cli", graph) == {"runtime"}


def test_the_picture_and_the_table_are_those_of_the_sources() -> None:
    page = PAGE.read_text("utf-8")
    assert page == drawn(page), f"run {COMMAND}, and commit the page"
