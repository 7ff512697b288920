"""`POST /$batch` (Microsoft: json-batching).

At most twenty items; each is answered, throttled and refused by itself, in any order. The service sends at
most four at a time to the mailboxes. Answers are joined from bytes: a big round costs no encoding.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from typing import TYPE_CHECKING, Protocol

import msgspec

from placed_microsoft365.simulator.faults.fault import Kind, Where
from placed_microsoft365.simulator.http_messages import GRAPH_JSON, Request, graph_error
from placed_simulator.http_messages import ItemRecord, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox
    from placed_microsoft365.simulator.tenant.tenant import Tenant

MOST_ITEMS = 20
AT_A_TIME = 4
FAILED_DEPENDENCY = 424
BAD_REQUEST = 400
BATCH = frozenset({Where.BATCH})
MISSING = frozenset({Kind.MISSING_ITEM})


class ItemEndpoints(Protocol):
    """What answers the single requests of a batch."""

    def answer_now(self, request: Request) -> Reply:
        """The answer, without any delay."""
        ...

    async def answer_item(self, request: Request) -> Reply:
        """The answer, after the delay that a fault asks for."""
        ...

    def mailbox_of(self, target: str) -> Mailbox | None:
        """The mailbox that the target names; None if there is no such mailbox."""
        ...


class Item(msgspec.Struct, frozen=True, rename="camel"):
    """One request of a batch; `url` is relative to `/v1.0` and begins with a slash."""

    id: str
    method: str
    url: str
    headers: dict[str, str] = {}
    depends_on: tuple[str, ...] = ()


class Envelope(msgspec.Struct, frozen=True):
    """The body of a batch."""

    requests: tuple[Item, ...]


_decoder = msgspec.json.Decoder(Envelope)


class Batches:
    """Answers batches by asking `graph` for each item."""

    def __init__(self, tenant: Tenant, graph: ItemEndpoints) -> None:
        self._tenant = tenant
        self._graph = graph
        self._order = random.Random(tenant.domain)  # noqa: S311 - an order, not a secret

    async def answer(self, request: Request) -> Reply:
        """The batch's answer, 200 whatever the status of its items, or 400 for a batch that is none."""
        try:
            items = _decoder.decode(request.body).requests
        except msgspec.DecodeError as error:
            return graph_error(request, BAD_REQUEST, "BadRequest", f"Invalid batch payload format: {error}")
        problem = _problem(items)
        if problem is not None:
            return graph_error(request, BAD_REQUEST, *problem)
        replies = await self._replies(request, items)
        request.items.extend(
            ItemRecord(item.method, item.url, reply.status)
            for item, reply in zip(items, replies, strict=True)
        )
        parts = [_part(item.id, reply) for item, reply in zip(items, replies, strict=True)]
        parts = self._spoil(items, parts)
        self._order.shuffle(parts)
        return Reply(200, b'{"responses":[' + b",".join(parts) + b"]}", GRAPH_JSON)

    async def _replies(self, request: Request, items: Sequence[Item]) -> list[Reply]:
        requests = [self._item_request(request, item) for item in items]
        if any(item.depends_on for item in items):
            return await self._in_order(items, requests)
        if not self._tenant.faults.any(Kind.DELAY, Where.CALENDAR):
            return [self._graph.answer_now(item) for item in requests]
        places = asyncio.Semaphore(AT_A_TIME)

        async def answer(item: Request) -> Reply:
            async with places:
                return await self._graph.answer_item(item)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(answer(item)) for item in requests]
        return [task.result() for task in tasks]

    async def _in_order(self, items: Sequence[Item], requests: Sequence[Request]) -> list[Reply]:
        """One at a time; what depends on a failed item fails with 424."""
        replies: dict[str, Reply] = {}
        for item, request in zip(items, requests, strict=True):
            parents = [replies.get(parent.lower()) for parent in item.depends_on]
            if all(parent is not None and parent.ok for parent in parents):
                replies[item.id.lower()] = await self._graph.answer_item(request)
            else:
                replies[item.id.lower()] = graph_error(
                    request, FAILED_DEPENDENCY, "FailedDependency", "A request it depends on has failed."
                )
        return [replies[item.id.lower()] for item in items]

    def _item_request(self, request: Request, item: Item) -> Request:
        headers = {name.lower(): value for name, value in item.headers.items()}
        headers.setdefault("client-request-id", request.client_request_id)
        return Request(
            method=item.method.upper(),
            target=item.url if item.url.startswith("/") else f"/{item.url}",
            headers=headers,
            caller=request.caller,
            request_id=request.request_id,
            moment=request.moment,
        )

    def _spoil(self, items: Sequence[Item], parts: list[bytes]) -> list[bytes]:
        faults = self._tenant.faults
        if not faults.active():
            return parts
        kept = []
        for number, (item, part) in enumerate(zip(items, parts, strict=True)):
            mailbox = self._graph.mailbox_of(item.url)
            room = mailbox.address if mailbox is not None else None
            if faults.take(MISSING, BATCH, room, exact=number > 0) is None:
                kept.append(part)
        if kept and faults.take(frozenset({Kind.DUPLICATE_ITEM}), BATCH) is not None:
            kept.append(kept[0])
        if faults.take(frozenset({Kind.UNKNOWN_ITEM}), BATCH) is not None:
            kept.append(b'{"id":"nobody-asked","status":200,"headers":{},"body":{"value":[]}}')
        return kept


def _problem(items: Sequence[Item]) -> tuple[str, str] | None:
    """Code and message of what is wrong with the whole batch."""
    if len(items) > MOST_ITEMS:
        return (
            "MaximumValueExceeded",
            f"Number of batch request steps exceeds the maximum value of {MOST_ITEMS}.",
        )
    if not items:
        return "BadRequest", "The batch has no requests."
    ids = {item.id.lower() for item in items}
    if len(ids) != len(items):
        return "BadRequest", "Request ids have to be unique within a batch."
    if any(parent.lower() not in ids for item in items for parent in item.depends_on):
        return "BadRequest", "A request depends on one that is not in the batch."
    return None


def _part(item_id: str, reply: Reply) -> bytes:
    """One answer; a body that is no JSON comes as a base64 string, a lost connection as the gateway's 504."""
    if reply.dropped:
        reply = Reply(504, b'{"error":{"code":"UnknownError","message":""}}', GRAPH_JSON)
    head = b'{"id":%b,"status":%d,"headers":%b' % (
        _text(item_id),
        reply.status,
        _headers(reply.headers, reply.content_type),
    )
    if not reply.body:
        return head + b"}"
    body = _text(base64.b64encode(reply.body).decode()) if reply.broken else reply.body
    return head + b',"body":' + body + b"}"


def _text(value: str) -> bytes:
    return msgspec.json.encode(value)


_USUAL_HEADERS = json.dumps({"Cache-Control": "private", "Content-Type": GRAPH_JSON}).encode()


def _headers(headers: Sequence[tuple[str, str]], content_type: str) -> bytes:
    if not headers and content_type is GRAPH_JSON:
        return _USUAL_HEADERS
    whole: Mapping[str, str] = {"Cache-Control": "private", "Content-Type": content_type, **dict(headers)}
    return json.dumps(whole).encode()
