"""The table of what a status of Graph means, for a whole request."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from placed.domain.model import Reason
from placed.driver import DriverError, NotPermitted, Throttled, Unavailable, UnexpectedAnswer
from placed.driver.network.retry_after import parse_retry_after
from placed.driver.network.service_clock import ServiceClock
from placed.driver.token_cache import TokenCache
from placed_microsoft365.graph.client import GraphClient
from placed_microsoft365.graph.json_structs import Places
from placed_microsoft365.graph.response import error_code
from tests.drivers.microsoft365.graph.aioresponses_compat import Responses
from tests.support.access_tokens import signed_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)
BASE = "https://graph.example"
URL = f"{BASE}/v1.0/places"


@pytest.fixture
async def graph() -> AsyncIterator[GraphClient]:
    source = TokenCache(signed_in, lambda: 0.0)
    graph = GraphClient(
        BASE, source, ca_file=None, version="1.2.3", clock=ServiceClock(lambda: NOW, lambda: 0.0)
    )
    yield graph
    await graph.close()


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (204, UnexpectedAnswer, Reason.MALFORMED),
        (206, UnexpectedAnswer, Reason.MALFORMED),
        (400, UnexpectedAnswer, Reason.MALFORMED),
        (401, NotPermitted, Reason.FORBIDDEN),
        (403, NotPermitted, Reason.FORBIDDEN),
        (404, NotPermitted, Reason.FORBIDDEN),
        (405, UnexpectedAnswer, Reason.MALFORMED),
        (408, Unavailable, Reason.UNAVAILABLE),
        (409, UnexpectedAnswer, Reason.MALFORMED),
        (410, NotPermitted, Reason.FORBIDDEN),
        (424, Unavailable, Reason.UNAVAILABLE),
        (429, Throttled, Reason.THROTTLED),
        (500, Unavailable, Reason.UNAVAILABLE),
        (502, Unavailable, Reason.UNAVAILABLE),
        (503, Unavailable, Reason.UNAVAILABLE),
        (504, Unavailable, Reason.UNAVAILABLE),
        (509, Throttled, Reason.THROTTLED),
    ],
)
@pytest.mark.parametrize(
    "body", ['{"error":{"code":"SomeCode","message":"of ada@contoso.example"}}', "<html>", ""]
)
async def test_a_status_is_an_error(
    graph: GraphClient, status: int, error: type[DriverError], reason: Reason, body: str
) -> None:
    with Responses() as service:
        service.get(URL, status=status, body=body, repeat=True, headers={"Retry-After": "7"})
        with pytest.raises(DriverError) as raised:
            await graph.get("/places", Places)
    assert type(raised.value) is error
    assert raised.value.reason is reason
    assert str(raised.value) == f"Graph answered {status}{' SomeCode' if body.startswith('{') else ''}"
    assert raised.value.problem.retry_after == (7 if issubclass(error, Unavailable) else None)
    assert bool(raised.value.problem.remedy) is (
        error is NotPermitted or (400 <= status < 500 and reason is Reason.MALFORMED)
    )


@pytest.mark.parametrize(
    ("exception", "output"),
    [
        (aiohttp.ServerDisconnectedError(), "it ended the connection"),
        (aiohttp.ClientPayloadError("of ada@contoso.example"), "the connection failed"),
        (aiohttp.ClientOSError(104, "reset"), "the connection failed"),
        (aiohttp.InvalidURL("https://graph.example/users/ada@contoso.example"), "the connection failed"),
        (TimeoutError(), "no answer in time"),
        (aiohttp.ConnectionTimeoutError(), "no answer in time"),
        (ConnectionResetError(), "it ended the connection"),
        (ConnectionRefusedError(), "it refuses connections"),
        (socket.gaierror(-2, "Name or service not known"), "its name is not known"),
    ],
)
async def test_what_comes_of_no_answer(graph: GraphClient, exception: Exception, output: str) -> None:
    with Responses() as service:
        service.get(URL, exception=exception)
        with pytest.raises(Unavailable) as raised:
            await graph.get("/places", Places)
    assert str(raised.value) == f"Graph cannot be reached: {output}"
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{}", '{"value":{}}', '{"value":[1]}', '{"value":[', "\xff"]
)
async def test_a_200_that_is_something_else(graph: GraphClient, body: str) -> None:
    with Responses() as service:
        service.get(URL, body=body.encode("latin-1"))
        with pytest.raises(UnexpectedAnswer, match="is no Places"):
            await graph.get("/places", Places)


async def test_every_request_carries_its_header_fields(graph: GraphClient) -> None:
    with Responses() as service:
        service.get(URL, payload={"value": []}, repeat=True)
        await graph.get("/places", Places, {"ConsistencyLevel": "eventual"})
        await graph.get("/places", Places)
        calls = [call for calls in service.requests.values() for call in calls]
    first, second = (call.kwargs["headers"] for call in calls)
    assert first["Authorization"] == "Bearer t0ken"
    assert first["User-Agent"] == "placed/1.2.3"
    assert first["ConsistencyLevel"] == "eventual"
    assert first["client-request-id"] != second["client-request-id"]
    assert not [call for call in calls if call.kwargs["allow_redirects"]]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/places",
        "https://graph.example@evil.example/v1.0/places",
        "https://graph.example.evil.example/",
        "https://graph.example:444/v1.0/places",
        "http://graph.example/v1.0/places",
        "//evil.example/places places",
        "https://graph.example/v1.0/a b",
        "https://graph.example/v1.0/a\r\nHost: evil.example",
        "https://graph.example/v1.0/\u00fc",
        "",
    ],
)
async def test_the_token_is_sent_only_to_graph(graph: GraphClient, link: str) -> None:
    with Responses() as service, pytest.raises(UnexpectedAnswer, match="next link"):
        await graph.get(link, Places)
    assert not service.requests


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        (None, None),
        ("0", 0.0),
        ("3", 3.0),
        ("2.128", 2.128),
        ("-1", 0.0),
        ("1e9", 3600.0),
        ("inf", 3600.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        (5, 5.0),
        (["5"], None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Tue, 06 Oct 2026 09:31:00 +0200", 60.0),
        ("Tue, 06 Oct 2026 07:31:00 -0000", 60.0),
        ("Tue, 99 Oct 2026 07:31:00 GMT", None),
        ("Tue, 06 Oct 99999999999999999999 07:31:00 GMT", None),
        ("Tue, 06 Oct 2026 07:31:00 +999999999999999999", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: object, rest: float | None) -> None:
    assert parse_retry_after(header, NOW) == rest


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"code":"ErrorAccessDenied"}}', "ErrorAccessDenied"),
        (b'{"error":{"code":"RequestBroker--ParseUri"}}', "RequestBroker--ParseUri"),
        (b'{"error":{"code":"ada@contoso.example"}}', ""),
        (b'{"error":{"code":"Ada Example"}}', ""),
        (b'{"error":{"code":"' + b"x" * 100 + b'"}}', ""),
        (b'{"error":{"code":null}}', ""),
        (b'{"error":null}', ""),
        (b'{"error":"invalid_grant"}', ""),
        (b"<html>", ""),
        (b"", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_an_error_code_is_a_word_or_nothing(body: bytes, code: str) -> None:
    assert error_code(body) == code
