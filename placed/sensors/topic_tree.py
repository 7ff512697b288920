"""MQTT filters with values, found by the topics that they match: MQTT 5, 4.7. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Node(Generic[T]):
    children: dict[str, _Node[T]] = field(default_factory=dict)
    values: list[T] = field(default_factory=list)


class TopicTree(Generic[T]):
    """Values by filter. What a topic costs does not depend on how many filters there are."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, topic_filter: str, value: T) -> None:
        """Adds a value; a filter may have several."""
        node = self._root
        for level in topic_filter.split("/"):
            node = node.children.setdefault(level, _Node())
        node.values.append(value)

    def find(self, topic: str) -> list[T]:
        """Returns the values of all filters that match a topic."""
        nodes, found = [self._root], []
        for place, level in enumerate(topic.split("/")):
            hidden = place == 0 and level.startswith("$")  # no wildcard matches it
            following = []
            for node in nodes:
                wildcards = () if hidden else ("#", "+")
                if "#" in wildcards and "#" in node.children:
                    found += node.children["#"].values
                following += [node.children[key] for key in {level, *wildcards[1:]} if key in node.children]
            nodes = following
        for node in nodes:
            found += node.values
            if "#" in node.children:  # `a/#` matches `a`, too
                found += node.children["#"].values
        return found
