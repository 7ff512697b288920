"""What a fault makes of an answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from placed_google.simulator.api_messages import JSON, ApiError
from placed_google.simulator.faults.simulated_fault import Fault, Kind, Where
from placed_google.simulator.page_tokens import FIRST
from placed_simulator.http_messages import DROPPED, HTML, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_google.simulator.faults.workspace_faults import Faults

INSTEAD = frozenset({Kind.STATUS, Kind.HTML, Kind.EMPTY, Kind.DROP})
DELAY = frozenset({Kind.DELAY})
LOST_ANSWER = frozenset({Kind.LOST_ANSWER})
AFTERWARDS = (Kind.WRONG_TYPES, Kind.BAD_EVENT, Kind.EMPTY_PAGE, Kind.ENDLESS, Kind.TRUNCATED)
RPC_STATUS = {403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}

GATEWAY_PAGE = (
    b"<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>Error 502 (Server Error)!!1</title>\n"
    b"<p><b>502.</b> <ins>That\xe2\x80\x99s an error.</ins>\n"
)
PORTAL_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Guest network</title></head>\n"
    b"<body><form action='/login'>Please accept the terms of use.</form></body></html>\n"
)


def instead(fault: Fault) -> Reply:
    """The answer in place of the right one."""
    match fault.kind:
        case Kind.STATUS:
            headers = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
            rpc_status = RPC_STATUS.get(fault.status)
            return ApiError(
                fault.status,
                fault.reason,
                fault.message,
                domain=fault.domain,
                rpc_status=rpc_status,
                headers=headers,
            ).reply()
        case Kind.HTML:
            page = PORTAL_PAGE if fault.status == 200 else GATEWAY_PAGE  # noqa: PLR2004 - OK
            return Reply(fault.status, page, HTML, broken=True)
        case Kind.EMPTY:
            return Reply(fault.status, content_type=JSON, broken=True)
        case _:
            return DROPPED


def lost(fault: Fault) -> Reply:
    """The answer in place of that to a write that was carried out."""
    return Reply(fault.status, GATEWAY_PAGE, HTML, broken=True) if fault.status else DROPPED


def afterwards(faults: Faults, reply: Reply, room: str | None = None, page_token: str = "") -> Reply:
    """The right answer of a calendar, spoilt by each fault that hits; `page_token` is the question's."""
    if not reply.ok:
        return reply
    for kind in AFTERWARDS:
        if kind is Kind.EMPTY_PAGE and page_token:
            continue
        fault = faults.take(frozenset({kind}), frozenset({Where.CALENDAR}), room)
        if fault is None:
            continue
        if kind is Kind.TRUNCATED:
            reply = replace(reply, body=reply.body[: len(reply.body) * 2 // 3], broken=True)
        else:
            document = _SPOIL[kind](json.loads(reply.body), fault)
            reply = replace(reply, body=json.dumps(document, separators=(",", ":")).encode())
    return reply


Document = dict[str, Any]


def _wrong_types(document: Document, fault: Fault) -> object:
    match fault.detail:
        case "items_is_object":
            return {**document, "items": {}}
        case "items_missing":
            return {name: value for name, value in document.items() if name != "items"}
        case "event_is_string":
            return {**document, "items": ["event"]}
        case "body_is_list":
            return [document]
        case _:
            return {**document, "items": [{**event, "summary": 42} for event in document.get("items", [])]}


def _bad_event(document: Document, fault: Fault) -> object:
    event: Document = {
        "id": "0bad0bad0bad0bad0bad0bad0b",
        "status": "confirmed",
        "eventType": "default",
        "start": {"dateTime": "2026-12-02T07:00:00Z", "timeZone": "UTC"},
        "end": {"dateTime": "2026-12-02T08:00:00Z", "timeZone": "UTC"},
        "attendees": [{"self": True, "resource": True, "responseStatus": "accepted"}],
    }
    match fault.detail:
        case "end_before_start":
            event["start"], event["end"] = event["end"], event["start"]
        case "no_times":
            event["start"], event["end"] = {"timeZone": "UTC"}, {"timeZone": "UTC"}
        case "bad_date":
            event["start"] = {"dateTime": "yesterday"}
        case "null_start":
            event["start"] = None
        case "unknown_event_type":
            event["eventType"] = "daydream"
        case "unknown_status":
            event["status"] = "postponed"
        case "unknown_transparency":
            event["transparency"] = "translucent"
        case "unknown_response":
            event["attendees"][0]["responseStatus"] = "delegated"
        case _:
            del event[fault.detail.removeprefix("missing_")]
    return {**document, "items": [*document.get("items", []), event]}


def _empty_page(document: Document, _fault: Fault) -> object:
    """As if the page ended before its first event; the token is that of the very beginning."""
    kept = {name: value for name, value in document.items() if name != "nextSyncToken"}
    return {**kept, "items": [], "nextPageToken": FIRST}


def _endless(document: Document, _fault: Fault) -> object:
    """The same token each time."""
    kept = {name: value for name, value in document.items() if name != "nextSyncToken"}
    return {**kept, "nextPageToken": FIRST}


_SPOIL: dict[Kind, Callable[[Document, Fault], object]] = {
    Kind.WRONG_TYPES: _wrong_types,
    Kind.BAD_EVENT: _bad_event,
    Kind.EMPTY_PAGE: _empty_page,
    Kind.ENDLESS: _endless,
}
