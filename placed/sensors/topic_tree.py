"""MQTT filters with a value each, found by the topics that they match: MQTT 5, 4.7. Pure."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class TopicTree(Generic[T]):
    """Values by filter. What a topic costs does not depend on how many filters there are."""

    def __init__(self) -> None:
        self._children: dict[str, TopicTree[T]] = {}
        self._values: list[T] = []

    def add(self, filter_: str, value: T) -> None:
        """Adds a value; a filter may have several."""
        node = self
        for level in filter_.split("/"):
            node = node._children.setdefault(level, TopicTree())
        node._values.append(value)

    def find(self, topic: str) -> list[T]:
        """Returns the values of all filters that match a topic."""
        nodes, found = [self], []
        levels = topic.split("/")
        for place, level in enumerate(levels):
            following = []
            for node in nodes:
                hidden = place == 0 and level.startswith("$")  # no wildcard matches it
                if (rest := node._children.get("#")) is not None and not hidden:
                    found += rest._values
                if (exact := node._children.get(level)) is not None:
                    following.append(exact)
                if (any_one := node._children.get("+")) is not None and not hidden:
                    following.append(any_one)
            nodes = following
        for node in nodes:
            found += node._values
            if (rest := node._children.get("#")) is not None:  # `a/#` matches `a`, too
                found += rest._values
        return found
