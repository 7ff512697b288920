"""What a fault makes of an answer."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from placed_microsoft365.simulator.faults.fault import MOVING, Fault, Kind, Where
from placed_microsoft365.simulator.http_messages import GRAPH_JSON, Request, graph_error
from placed_simulator.http_messages import DROPPED, HTML, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed_microsoft365.simulator.faults.fault_switches import Faults

INSTEAD = frozenset({Kind.STATUS, Kind.HTML, Kind.EMPTY, Kind.BOMB, Kind.DROP})
AFTERWARDS = (
    Kind.WRONG_TYPES,
    Kind.BAD_EVENT,
    Kind.ODD_EVENTS,
    Kind.ENDLESS,
    Kind.NO_NEXT_LINK,
    Kind.TRUNCATED,
)
DELAY = frozenset({Kind.DELAY})

BOMB_MIB = 512
_SKIPS = itertools.count(10, 10)

GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


def instead(fault: Fault, request: Request) -> Reply:
    """The answer in place of the right one."""
    if fault.kind is Kind.STATUS:
        return graph_error(request, fault.status, fault.code, fault.message, retry_after=fault.retry_after)
    return instead_of_any(fault)


def instead_of_any(fault: Fault) -> Reply:
    """The same for answers that are not in Graph's shape."""
    if fault.kind is Kind.HTML:
        return Reply(fault.status, GATEWAY_PAGE, HTML, broken=True)
    if fault.kind is Kind.EMPTY:
        return Reply(fault.status, content_type=GRAPH_JSON, broken=True)
    if fault.kind is Kind.BOMB:
        return Reply(200, _bomb(), GRAPH_JSON, (("Content-Encoding", "gzip"),), broken=True)
    return DROPPED


@cache
def _bomb() -> bytes:
    """A MiB that is packed, many times: after a full flush the same bytes mean the same."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS + 16)
    first, again = (packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + (BOMB_MIB - 1) * again


def afterwards(faults: Faults, reply: Reply, where: Where, room: str | None = None) -> Reply:
    """The right answer, spoilt by each fault that hits."""
    if not reply.ok:
        return reply
    for kind in AFTERWARDS:
        fault = faults.take(frozenset({kind}), frozenset({where}), room)
        if fault is None:
            continue
        if kind is Kind.TRUNCATED:
            reply = replace(reply, body=reply.body[: len(reply.body) * 2 // 3], broken=True)
        else:
            document = msgspec.json.decode(reply.body)
            reply = replace(reply, body=msgspec.json.encode(_SPOIL[kind](document, fault)))
    return reply


Document = dict[str, Any]


def lacking(faults: Faults, reply: Reply, where: Where, ids: Mapping[str, str]) -> Reply:
    """A list of rooms, without those that a fault hides; `ids` are addresses by object id."""
    if not reply.ok:
        return reply
    taken = [fault for fault in faults.active() if fault.kind is Kind.LACKING and fault.where is where]
    for fault in dict.fromkeys(taken):
        if faults.take_one(fault):
            document = msgspec.json.decode(reply.body)
            value = [one for one in document["value"] if fault.detail and _address(one, ids) != fault.detail]
            counted = {"@odata.count": len(value)} if "@odata.count" in document else {}
            reply = replace(reply, body=msgspec.json.encode({**document, **counted, "value": value}))
    return reply


def _address(listed: Document, ids: Mapping[str, str]) -> str | None:
    return ids.get(listed.get("id", "")) or listed.get("emailAddress")


def _wrong_types(document: Document, fault: Fault) -> object:
    """Changes types in JSON of any shape."""
    if fault.detail == "value_is_object":
        return {**document, "value": {}}
    if fault.detail == "value_missing":
        return {name: value for name, value in document.items() if name != "value"}
    if fault.detail == "event_is_string":
        return {**document, "value": ["event"]}
    if fault.detail == "body_is_list":
        return [document]
    return {**document, "value": [{**event, "subject": 42} for event in document["value"]]}


def _bad_event(document: Document, fault: Fault) -> object:
    event: Document = {
        "@odata.etag": 'W/"bad"',
        "id": "AAMkADbad",
        "subject": "Grace Sample ",
        "showAs": "busy",
        "sensitivity": "normal",
        "type": "singleInstance",
        "isAllDay": False,
        "isCancelled": False,
        "responseStatus": {"response": "accepted", "time": "0001-01-01T00:00:00Z"},
        "start": {"dateTime": "2026-10-06T07:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-10-06T08:00:00.0000000", "timeZone": "UTC"},
    }
    if fault.detail == "end_before_start":
        event["start"], event["end"] = event["end"], event["start"]
    elif fault.detail == "unknown_show_as":
        event["showAs"] = "daydreaming"
    elif fault.detail == "bad_date":
        event["start"] = {"dateTime": "yesterday", "timeZone": "UTC"}
    elif fault.detail == "null_start":
        event["start"] = None
    else:
        del event[fault.detail.removeprefix("missing_")]
    return {**document, "value": [*document["value"], event]}


def _odd_events(document: Document, fault: Fault) -> object:
    events = document["value"]
    if fault.detail == "twice":
        return {**document, "value": [*events, *events[::-1]]}
    return {**document, "value": [_oddly(event, fault.detail) for event in events]}


def _oddly(event: Document, detail: str) -> Document:
    if detail == "empty_ids":
        return {**event, "id": ""}
    if detail == "series_master":
        return {**event, "type": "seriesMaster"}
    if detail == "odd_sensitivity":
        return {**event, "sensitivity": event.get("sensitivity", "normal").title()}
    if detail == "wrong_sensitivity":
        return {**event, "sensitivity": {"value": 2}}
    if not event.get("isAllDay"):
        return event
    first, after = (datetime.fromisoformat(event[name]["dateTime"]) for name in ("start", "end"))
    last = after - timedelta(minutes=1)
    if detail == "ends_the_same_day" and first.date() == last.date():
        last = first
    elif detail == "carries_hours":
        first, last = first.replace(hour=8), last.replace(hour=16, minute=30)
    times = {
        name: {**event[name], "dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}.0000000"}
        for name, moment in (("start", first), ("end", last))
    }
    return {**event, **times}


def _endless(document: Document, fault: Fault) -> object:
    """The same link each time, as in the report; or each time another one."""
    skip = next(_SKIPS) if fault.detail == MOVING else 10
    address = document["@odata.context"].partition("/$metadata")[0]
    user = document["@odata.context"].partition("('")[2].partition("')")[0]
    link = (
        f"{address}/users/{user}/calendarView?startDateTime=2000-01-01T00:00:00Z"
        f"&endDateTime=2000-01-02T00:00:00Z&$skip={skip}"
    )
    return {**document, "@odata.nextLink": link}


def _no_next_link(document: Document, _fault: Fault) -> object:
    return {name: value for name, value in document.items() if name != "@odata.nextLink"}


_SPOIL: dict[Kind, Callable[[Document, Fault], object]] = {
    Kind.WRONG_TYPES: _wrong_types,
    Kind.BAD_EVENT: _bad_event,
    Kind.ODD_EVENTS: _odd_events,
    Kind.ENDLESS: _endless,
    Kind.NO_NEXT_LINK: _no_next_link,
}
