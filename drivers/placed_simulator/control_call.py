"""A small HTTP interface with which another process, or a person with curl, plays a simulated service.

There is no access control: the server listens on loopback only, and there is nothing to protect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed_simulator.http_messages import RequestRecord

PREFIX = "/_control/"

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class ControlCall(Generic[S]):
    """A method, the parts of the path below `/_control`, and a body that may be empty."""

    tenant: S
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


class ControlInterface(Generic[S]):
    """Answers below `/_control`: finds who knows, and turns what it raises into a status."""

    def __init__(
        self,
        tenant: S,
        requests: list[RequestRecord],
        resources: Mapping[str, Callable[[ControlCall[S]], object]],
    ) -> None:
        self._tenant = tenant
        self._requests = requests
        self._resources = resources

    def answer(self, method: str, target: str, body: bytes) -> Reply:
        """Do what is asked; `target` is the whole path."""
        path = urlsplit(target).path.removeprefix(PREFIX)
        parts = tuple(unquote(part) for part in path.split("/"))
        call = ControlCall(self._tenant, self._requests, method, parts, body)
        try:
            resource = self._resources.get(call.parts[0])
            if resource is None:
                return _reply(404, {"error": str(call.unknown)})
            result = resource(call)
        except LookupError as error:
            return _reply(404, {"error": str(error)})
        except ValueError as error:
            return _reply(400, {"error": str(error)})
        return _reply(200, {} if result is None else result)


def requests(call: ControlCall[S]) -> object:
    """What was asked of the services so far."""
    match call.key():
        case ("GET",):
            return call.requests
        case ("DELETE",):
            call.requests.clear()
            return None
        case _:
            raise call.unknown


def _reply(status: int, result: object) -> Reply:
    return Reply(status, msgspec.json.encode(result))
