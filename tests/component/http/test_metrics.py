"""The metrics: what a scrape shows of rooms, connections and ways out."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from placed.domain.action import Action, Outcome, Refusal
from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.driver import Consent, Fence, FenceState
from placed.http.api.room_metrics import RoomMetrics
from tests.support.board_setup import NINE, BoardSetup, meeting, minutes, undelivered
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.domain.state_document import Statement


async def scrape(endpoint: Endpoint) -> dict[str, float]:
    """Every sample, by its name and labels as they are written."""
    answer = await endpoint.get("/metrics")
    assert answer.status == 200
    samples = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return samples


async def test_a_room_that_is_not_read_any_more_turns_from_stale_to_unknown(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("boardroom", meeting(-10, 60))

    async def seen() -> list[float | None]:
        samples = await scrape(endpoint)
        return [
            samples["placed_rooms{connection=contoso,status=busy}"],
            samples["placed_rooms{connection=contoso,status=unknown}"],
            samples["placed_rooms_stale{connection=contoso}"],
            samples["placed_room_status{room=boardroom,status=busy}"],
            samples["placed_room_status{room=boardroom,status=unknown}"],
            samples.get("placed_room_occupied{room=boardroom}"),
        ]

    assert await seen() == [1, 2, 2, 1, 0, 1]
    board_setup.wait(minutes(2))
    assert await seen() == [1, 2, 3, 1, 0, 1]
    board_setup.wait(minutes(13))
    assert await seen() == [0, 3, 3, 0, 1, None]


async def test_an_expired_state_counts_as_unknown_even_without_an_evaluation(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("atrium")
    board_setup.moment += minutes(15)
    samples = await scrape(endpoint)
    assert samples["placed_rooms{connection=contoso,status=free}"] == 0
    assert "placed_room_occupied{room=atrium}" not in samples


async def test_all_words_are_always_there(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.report()
    samples = await scrape(endpoint)
    for status in ("free", "starting", "busy", "pending", "unknown"):
        assert f"placed_rooms{{connection=contoso,status={status}}}" in samples
        assert f"placed_room_status{{room=library,status={status}}}" in samples
    for reason in Reason:
        assert samples[f"placed_connection_rooms_failing{{connection=contoso,reason={reason}}}"] == 0
    for state in FenceState:
        assert f"placed_fence_state{{connection=contoso,state={state}}}" in samples
    for consent in Consent:
        assert f"placed_consent_state{{connection=contoso,state={consent}}}" in samples


async def test_a_connection_has_metrics_of_its_health(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.report("fabrikam", state=ConnectionState.FAILING, last_success=None)
    board_setup.report(
        failing={
            "atrium": ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "")),
            "library": ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "")),
        },
        fence=Fence(FenceState.VERIFIED, NINE, warnings=(Problem("", "mind the gap"),)),
        consent=Consent.GRANTED,
        credential_expires_at=NINE + timedelta(days=30),
        impossible_meetings=2,
    )
    samples = await scrape(endpoint)
    nine = NINE.timestamp()
    assert samples["placed_connection_up{connection=contoso}"] == 1
    assert samples["placed_connection_up{connection=fabrikam}"] == 0
    assert samples["placed_connection_last_success_timestamp_seconds{connection=contoso}"] == nine
    assert "placed_connection_last_success_timestamp_seconds{connection=fabrikam}" not in samples
    assert samples["placed_connection_rooms_failing{connection=contoso,reason=forbidden}"] == 2
    assert samples["placed_connection_impossible_meetings{connection=contoso}"] == 2
    expiry = "placed_credential_expiry_timestamp_seconds"
    assert samples[f"{expiry}{{connection=contoso}}"] == nine + 30 * 86400
    assert f"{expiry}{{connection=fabrikam}}" not in samples
    assert samples["placed_fence_state{connection=contoso,state=verified}"] == 1
    assert samples["placed_fence_state{connection=contoso,state=unproven}"] == 0
    assert samples["placed_fence_warnings{connection=contoso}"] == 1
    assert samples["placed_consent_state{connection=contoso,state=granted}"] == 1


async def test_commands_and_the_fence_of_what_writes_are_measured(board_setup: BoardSetup) -> None:
    board_setup.report(writer_fence=Fence(FenceState.BREACHED, NINE))
    counts = {(Action.BOOK, Outcome.DONE, None): 3, (Action.BOOK, Outcome.REFUSED, Refusal.CONFLICT): 1}
    async with Endpoint(board_setup, commands=counts) as endpoint:
        samples = await scrape(endpoint)
    assert samples["placed_actions_total{action=book,outcome=done,reason=}"] == 3
    assert samples["placed_actions_total{action=book,outcome=refused,reason=conflict}"] == 1
    assert samples["placed_writer_fence_state{connection=contoso,state=breached}"] == 1
    assert samples["placed_writer_fence_state{connection=contoso,state=verified}"] == 0


async def test_where_nothing_is_written_there_are_no_metrics_of_it(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.report()
    words = "action", "writer", "command"
    assert not [name for name in await scrape(endpoint) if any(word in name for word in words)]


async def test_the_ways_out_are_measured(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.bridge.connected = False
    board_setup.bridge.messages_published, board_setup.bridge.reconnects = 977, 3
    board_setup.bridge.messages_refused = {"not_authorized": 5, "other": 0}
    board_setup.bridge.undelivered = (undelivered(count=2), undelivered(count=3, state=False))
    async with endpoint.listen() as listening:
        await listening.next()
        samples = await scrape(endpoint)
    assert samples["placed_build_info{version=1.2.3}"] == 1
    assert samples["placed_statements_total"] == board_setup.board.seq
    assert samples["placed_mqtt_connected"] == 0
    assert samples["placed_mqtt_messages_published_total"] == 977
    assert samples["placed_mqtt_messages_refused_total{reason=not_authorized}"] == 5
    assert samples["placed_mqtt_messages_refused_total{reason=other}"] == 0
    assert samples["placed_mqtt_topics_undelivered{kind=state}"] == 2
    assert samples["placed_mqtt_topics_undelivered{kind=optional}"] == 3
    assert samples["placed_mqtt_reconnects_total"] == 3
    assert samples["placed_http_sse_clients"] == 1
    assert samples["process_resident_memory_bytes"] > 0


async def test_without_a_broker_there_are_no_broker_metrics(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.bridge.configured = board_setup.bridge.connected = False
    assert [name for name in await scrape(endpoint) if name.startswith("placed_mqtt")] == []


async def test_an_edge_that_was_not_evaluated_is_late(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.read("atrium", meeting(10, 20))
    assert (await scrape(endpoint))["placed_edge_lateness_seconds"] == 0
    assert board_setup.board.next_due is not None
    board_setup.moment = board_setup.board.next_due + timedelta(seconds=7)
    assert (await scrape(endpoint))["placed_edge_lateness_seconds"] == 7
    board_setup.board.judge_due()
    assert (await scrape(endpoint))["placed_edge_lateness_seconds"] == 0


async def test_a_room_metric_carries_building_and_floor(endpoint: Endpoint) -> None:
    found = [name for name in await scrape(endpoint) if name.startswith("placed_room_info")]
    assert "placed_room_info{building=Annex,connection=contoso,floor=1,name=Library,room=library}" in found
    assert len(found) == 3


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text;version=1.0.0"])
async def test_names_of_rooms_arrive_as_they_are_whatever_is_in_them(accept: str) -> None:
    board_setup = BoardSetup()
    name = 'The "Old" \\ 50 % {free} library\n☃'
    board_setup.add("library", name=name, building='B"1', floor="\\n")
    async with Endpoint(board_setup) as endpoint:
        answer = await endpoint.get("/metrics", {"Accept": accept})
    parse = open_metrics if "openmetrics" in accept else text_string_to_metric_families
    found = [s.labels for f in parse(answer.body.decode()) for s in f.samples if s.name == "placed_room_info"]
    place = {"building": 'B"1', "floor": "\\n", "connection": "contoso"}
    assert found == [{"room": "library", "name": name, **place}]


@pytest.mark.slow  # thousands of rooms are put on the board
async def test_thousands_of_rooms_are_measured_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number}" for number in range(2000)))
    turns = 0
    measured: Counter[int] = Counter()  # rooms by the turn of the loop
    add = RoomMetrics.add

    def counted(rooms: RoomMetrics, statements: Sequence[Statement]) -> None:
        measured[turns] += len(statements)
        add(rooms, statements)

    async def everything_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    monkeypatch.setattr(RoomMetrics, "add", counted)
    async with Endpoint(board_setup) as endpoint:
        other = asyncio.create_task(everything_else())
        samples = await scrape(endpoint)
        other.cancel()
    assert samples["placed_rooms{connection=contoso,status=unknown}"] == 2000
    assert len([name for name in samples if name.startswith("placed_room_status{")]) == 5 * 2000
    assert max(measured.values()) <= 500


async def test_a_room_metric_carries_the_time_of_the_reading(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("atrium")
    samples = await scrape(endpoint)
    assert samples["placed_room_observed_timestamp_seconds{room=atrium}"] == NINE.timestamp()
    assert "placed_room_observed_timestamp_seconds{room=library}" not in samples
    assert samples["placed_room_occupied{room=atrium}"] == 0


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/plain"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("text/plain;version=latest", "text/plain"),
        ("application/openmetrics-text;version=latest", "text/plain"),
        (
            "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
            "application/openmetrics-text",
        ),
    ],
)
async def test_the_scraper_gets_the_format_that_it_takes(
    endpoint: Endpoint, board_setup: BoardSetup, accept: str, media_type: str
) -> None:
    board_setup.report()
    answer = await endpoint.get("/metrics", {"Accept": accept})
    assert answer.headers["Content-Type"].split(";")[0] == media_type
    parse = open_metrics if "openmetrics" in media_type else text_string_to_metric_families
    names = {family.name for family in parse(answer.body.decode())}
    assert {"placed_rooms", "placed_connection_up", "placed_http_sse_clients"} <= names


async def test_a_scrape_is_packed_if_that_is_wanted(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/metrics", {"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"placed_rooms{" in gzip.decompress(answer.body)


async def test_the_process_wide_registry_is_not_used(endpoint: Endpoint) -> None:
    await scrape(endpoint)
    assert not [family.name for family in REGISTRY.collect() if family.name.startswith("placed")]
