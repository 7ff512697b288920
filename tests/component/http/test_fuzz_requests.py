"""Whatever comes over the wire: nothing breaks, no answer blames us, and it goes on answering."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from placed.http.limits import LARGEST_HEAD, Limits
from tests.component.http.raw_client import Raw
from tests.support.board_setup import BoardSetup, meeting
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

pytestmark = pytest.mark.slow  # hypothesis sends hundreds of requests

_T = TypeVar("_T")
fuzz = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SOON = 0.05  # seconds, after which the server hangs up on half a request
CUT_OFF = 0.12  # seconds, after which a client hangs up on a stream, or on a server that waits for its body
STATUS = re.compile(rb"(?:^|\r\n|\})HTTP/\d\.\d (\d{3}) ")


class FuzzedServer:
    """A server that runs for the whole module, and the errors in it."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.board_setup = BoardSetup()
        self.board_setup.add("boardroom", building="Headquarters", floor="1", capacity=12)
        self.board_setup.add("atrium", building="Straße 1", floor="EG")
        self.board_setup.read("boardroom", meeting(-10, 30))
        self.board_setup.read("atrium")
        self.board_setup.report()
        self.endpoint = Endpoint(self.board_setup, limits=Limits(head=SOON, idle=SOON))
        self.wrong: list[str] = []
        runner.get_loop().set_exception_handler(lambda _, context: self.wrong.append(str(context)))

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self._runner.run(work)

    async def exchange(self, data: bytes, patience: float = CUT_OFF) -> bytes:
        """What is answered to these bytes, in a connection of their own, within so many seconds."""
        async with Raw(self.endpoint) as client:
            client.send(data)
            received = b""
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(patience):
                    while chunk := await client.reader.read(65536):
                        received += chunk
            return received

    async def all_is_well(self, *requests: bytes, patience: float = CUT_OFF) -> list[bytes]:
        """What is answered to each, none of which may harm anybody."""
        with capture_logs() as logs:
            answers = await asyncio.gather(*(self.exchange(request, patience) for request in requests))
            assert (await self.endpoint.get("/healthz")).status == 200
        assert self.wrong == []
        assert [log for log in logs if log["log_level"] not in ("debug", "info")] == []
        for answer in answers:
            statuses = [int(status) for status in STATUS.findall(answer)]
            assert all(200 <= status < 500 for status in statuses), answer
            assert answer == b"" or statuses
            assert b"Traceback" not in answer
            assert b"aiohttp" not in answer.replace(b"/aiohttp", b"")
            assert b"Python/" not in answer
        return answers


class Keeping(logging.Handler):
    """Keeps what aiohttp and asyncio log."""

    def __init__(self, kept: list[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record)


@pytest.fixture(scope="module")
def fuzzed_server() -> Iterator[FuzzedServer]:
    noted: list[logging.LogRecord] = []
    gc.collect()  # futures that tests before this one left behind are reported now
    handler = Keeping(noted)
    logging.getLogger().addHandler(handler)
    with asyncio.Runner() as runner:
        fuzzed_server = FuzzedServer(runner)
        fuzzed_server.run(fuzzed_server.endpoint.__aenter__())
        yield fuzzed_server
        fuzzed_server.run(fuzzed_server.endpoint.__aexit__(None, None, None))
    logging.getLogger().removeHandler(handler)
    assert [record.getMessage() for record in noted] == []


# --- bytes --------------------------------------------------------------------------------------------------

PATHS = (
    b"/",
    b"/rooms/atrium",
    b"/rooms/%61trium",
    b"/static/x/board.js",
    b"/api/v1/rooms",
    b"/api/v1/rooms/atrium",
    b"/api/v1/days?room=atrium",
    b"/api/v1/connections",
    b"/api/v1/connections/contoso/rooms",
    b"/api/v1/events",
    b"/healthz",
    b"/readyz",
    b"/metrics",
    b"/openapi.json",
)
SCRAPS = (
    *b"% %0 %00 %zz %ff %c3%28 %2f %2e%2e/ /../ // /. ? # & = ; * : @ [".split(b" "),
    *b"\\ \0 \xff \xc3\xa4 \xed\xa0\x80 http://evil.example/ http://[ http://[::1 //evil.example:x/".split(
        b" "
    ),
    *(b" ", b"\t", b"\r", b"\n", b"\r\n", b"x" * 9000),
)
scraps = st.one_of(st.sampled_from(SCRAPS), st.binary(max_size=8))
targets = st.one_of(
    st.sampled_from(PATHS),
    st.builds(bytes.__add__, st.sampled_from(PATHS), scraps),
    st.lists(st.one_of(scraps, st.sampled_from(PATHS)), max_size=4).map(b"".join),
)
methods = st.one_of(
    st.just(b"GET"),
    st.sampled_from(b"GET GET GET HEAD POST OPTIONS TRACE CONNECT PRI get".split(b" ")),
    st.binary(max_size=6),
)
versions = st.one_of(
    st.just(b"HTTP/1.1"),
    st.just(b"HTTP/1.1"),
    st.sampled_from(b"HTTP/1.1 HTTP/1.1 HTTP/1.0 HTTP/0.9 HTTP/2.0 HTTP/1.1.1 HTTP".split(b" ")),
    st.binary(max_size=9),
)
NAMES = (
    b"Host|host|Content-Length|Transfer-Encoding|Connection|Upgrade|Expect|Accept|Accept-Encoding|Authorization|"
    b"If-None-Match|Last-Event-ID|Content-Encoding|Origin|Range|Cookie|Content-Type|Sec-WebSocket-Key| x|"
).split(b"|")
GOOD_VALUES = (
    b"localhost|127.0.0.1:1|[::1]|[|xn--|\xc4\xb1|a, b|gzip;q=x|gzip;q=1e999|*/*|-1|0|1e3|5|999999999999999|"
    b"application/openmetrics-text; version=x|Bearer x|7-3|chunked|chunked, chunked|gzip, chunked|close|"
    b'keep-alive, Upgrade|upgrade|h2c|100-continue|bytes=0-|websocket|W/"x", "|text/html; charset=\xff|===='
).split(b"|")
values = st.one_of(st.sampled_from(GOOD_VALUES), scraps, st.binary(max_size=20))
good_fields = st.builds(
    lambda name, value: name + b": " + value + b"\r\n",
    st.sampled_from(NAMES[:-2]),
    st.sampled_from(GOOD_VALUES),
)
bad_fields = st.builds(
    lambda name, colon, value, end: name + colon + value + end,
    st.one_of(st.sampled_from(NAMES), st.binary(max_size=5)),
    st.sampled_from((b": ", b": ", b": ", b":", b" : ", b"")),
    values,
    st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n ")),
)
CHUNKS = b"5\r\nhello\r\n|0\r\n\r\n|0\r\nTrailer: x\r\n\r\n|fffffffffffffffff\r\n|-1\r\n|5;x=|x".split(b"|")
bodies = st.one_of(
    st.just(b""), st.binary(max_size=30), st.lists(st.sampled_from(CHUNKS), max_size=4).map(b"".join)
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """What is almost a request."""
    line = b" ".join((draw(methods), draw(targets), draw(versions)))
    host = draw(st.sampled_from((b"Host: localhost\r\n", b"Host: localhost\r\n", b"")))
    lines = b"".join(draw(st.lists(good_fields, max_size=4))) + b"".join(
        draw(st.one_of(st.just([]), st.lists(bad_fields, max_size=2)))
    )
    end = draw(st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"\n", b"")))
    return line + b"\r\n" + host + lines + end + draw(bodies)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Good requests, one after the other, of which something is cut out, put in or repeated."""
    whole = b"".join(
        b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path
        for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=40))
    )
    start = draw(st.integers(0, len(whole)))
    end = draw(st.integers(start, len(whole)))
    return whole[:start] + draw(scraps) + whole[end:] + whole[start:end] * draw(st.integers(0, 2))


@fuzz
@given(st.lists(requests(), min_size=1, max_size=12))
def test_what_is_almost_a_request(fuzzed_server: FuzzedServer, sent: list[bytes]) -> None:
    fuzzed_server.run(fuzzed_server.all_is_well(*sent))


@fuzz
@given(st.lists(requests(), min_size=2, max_size=6))
def test_one_after_the_other_in_one_connection(fuzzed_server: FuzzedServer, sent: list[bytes]) -> None:
    fuzzed_server.run(fuzzed_server.all_is_well(b"".join(sent)))


@fuzz
@given(st.lists(spoiled(), min_size=1, max_size=6))
def test_requests_that_were_spoiled_on_the_way(fuzzed_server: FuzzedServer, sent: list[bytes]) -> None:
    fuzzed_server.run(fuzzed_server.all_is_well(*sent))


@fuzz
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=12))
def test_bytes(fuzzed_server: FuzzedServer, sent: list[bytes]) -> None:
    fuzzed_server.run(fuzzed_server.all_is_well(*sent))


@pytest.mark.parametrize(
    "part",
    [
        b"a",
        b"GET /",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: ",
        b"A: a\r\n",
        b"\r\n",
        b"\0",
    ],
)
def test_what_never_ends(fuzzed_server: FuzzedServer, part: bytes) -> None:
    (answer,) = fuzzed_server.run(fuzzed_server.all_is_well(part + 2 * LARGEST_HEAD * b"a"))
    assert STATUS.findall(answer) <= [b"431"] or STATUS.findall(answer)[0] in (b"400", b"414")
    fuzzed_server.run(fuzzed_server.all_is_well(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + part * 20_000))


# --- queries ------------------------------------------------------------------------------------------------

QUERIES = {
    "/api/v1/rooms": ("building", "floor", "status", "use", "free_for", "capacity", "color"),
    "/api/v1/days": ("room", "color"),
    "/api/v1/rooms/atrium": ("room",),
}
WORDS = (
    *("headquarters", "STRASSE 1", "1", "EG", "free", "busy,free", "busy,,", "45m", "1e9d", "0s", "-1m", "8"),
    *(
        "99999999999d",
        "007",
        "1_0",
        "\u0663",
        "9" * 400,
        "atrium",
        "nowhere",
        "",
        " ",
        "\0",
        "\udcff",
        "\u202e",
    ),
)
words = st.one_of(st.sampled_from(WORDS), st.text(max_size=10)).map(
    lambda text: (
        quote_from_bytes(text.encode(errors="surrogateescape"))
        if all(letter < "\ud800" or letter > "\udfff" or "\udc80" <= letter <= "\udcff" for letter in text)
        else "%ed%a0%80"
    )
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    path = draw(st.sampled_from(sorted(QUERIES)))
    pairs = draw(st.lists(st.tuples(st.sampled_from(QUERIES[path]), words), max_size=5))
    return path + "?" + draw(st.sampled_from("&&;")).join(f"{name}={value}" for name, value in pairs)


@fuzz
@given(st.lists(queries(), min_size=1, max_size=12))
def test_queries(fuzzed_server: FuzzedServer, asked: list[str]) -> None:
    """Each is answered with a document, or with what is wrong with it."""
    answers = fuzzed_server.run(
        fuzzed_server.all_is_well(
            *(
                b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode()
                for path in asked
            ),
            patience=10.0,  # each is answered, and then it is over
        )
    )
    for path, answer in zip(asked, answers, strict=True):
        head, _, body = answer.partition(b"\r\n\r\n")
        document = json.loads(body)
        if b" 200 " in head.splitlines()[0]:
            assert document["schema"] == 1
        else:
            assert document["status"] == 400, path
            assert document.get("problems"), path
