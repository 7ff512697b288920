"""One call of the control interface: what is asked, and of which tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed_microsoft365.simulator.scenario.relative_time import parse_length
from placed_microsoft365.simulator.tenant.directory import NO_DELAY

if TYPE_CHECKING:
    from datetime import timedelta

    from placed_microsoft365.simulator.http_messages import RequestRecord
    from placed_microsoft365.simulator.tenant.tenant import Tenant

PREFIX = "/_control/"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A method, the parts of the path below `/_control`, and a body that may be empty."""

    tenant: Tenant
    requests: list[RequestRecord]
    method: str
    parts: tuple[str, ...]
    body: bytes

    def key(self, depth: int = 1) -> tuple[str, ...]:
        """What is asked of a resource: the method, and what of the path lies that deep."""
        return (self.method, *self.parts[depth:])

    def read(self, kind: type[T]) -> T:
        """The body.

        Raises:
            ValueError: it is none of that kind.
        """
        return msgspec.json.decode(self.body or b"{}", type=kind)

    @property
    def unknown(self) -> LookupError:
        """There is no such call; to be raised."""
        return LookupError(f"there is no {self.method} {PREFIX}{'/'.join(self.parts)}")


class Delay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long something takes to be in effect."""

    delay: str | None = None


def length_of(delay: str | None) -> timedelta:
    """A delay as it is written; none at all without."""
    return NO_DELAY if delay is None else parse_length(delay)
