"""The examples in config/examples: they are valid, and do what the panels' page asks for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.deadlines import DEADLINE

EXAMPLES = Path(__file__).resolve().parents[2] / "config" / "examples"
FLOW = EXAMPLES / "node-red-flow.json"
SKETCH = EXAMPLES / "door-light" / "door-light.ino"
TEN = datetime(2026, 1, 8, 10, tzinfo=UTC)

# Runs the function node as Node-RED does, with a clock that each step sets.
HARNESS = """
const [code, steps] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const store = {};
const context = { get: (key) => store[key], set: (key, value) => { store[key] = value; } };
const RealDate = Date;
let now = 0;
globalThis.Date = class extends RealDate { static now() { return now; } };
const run = new Function("msg", "context", code);
const shown = steps.map(([at, msg]) => { now = at; return run(msg, context)[0].map((m) => m.payload); });
process.stdout.write(JSON.stringify(shown));
"""


def nodes() -> dict[str, Any]:
    found = {node["id"]: node for node in json.loads(FLOW.read_text("utf-8"))}
    assert len(found) == len(json.loads(FLOW.read_text("utf-8")))
    return found


def of_type(kind: str) -> list[Any]:
    return [node for node in nodes().values() if node["type"] == kind]


def time(seconds: float) -> str:
    return f"{TEN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}Z"


def state(**more: Any) -> dict[str, str]:
    document = {
        "schema": 1,
        "room": "boardroom",
        "name": "Boardroom",
        "status": "free",
        "stale": False,
        "next": None,
        "busy_until": None,
        "free_until": time(3600),
        "valid_until": time(900),
        "reason": None,
        "epoch": 7,
        "seq": 1,
    }
    return {"topic": "placed/rooms/boardroom/state", "payload": json.dumps(document | more)}


def bridge(word: str) -> dict[str, str]:
    return {"topic": "placed/bridge/state", "payload": json.dumps({"state": word, "epoch": 7})}


TICK = {"topic": ""}
LOST = {"status": {"fill": "red", "text": "disconnected"}}


def shown(*steps: tuple[float, dict[str, Any]]) -> list[str | None]:
    """The flow's output after each step; None where nothing is new."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (function,) = of_type("function")
    given = [[(TEN.timestamp() + at) * 1000, message] for at, message in steps]
    ran = subprocess.run(
        [node, "-e", HARNESS],
        input=json.dumps([function["func"], given]),
        capture_output=True,
        check=True,
        text=True,
        timeout=DEADLINE,
    )
    return [
        reported[0]["why"] or reported[0]["status"] if reported else None
        for reported in json.loads(ran.stdout)
    ]


def test_the_flow_subscribes_to_what_a_panel_needs() -> None:
    subscribed = {node["topic"]: node for node in of_type("mqtt in")}
    assert set(subscribed) == {"placed/bridge/state", "placed/rooms/+/state"}
    # With QoS 1 mosquitto queues 1,000 messages a client and drops the rooms beyond (docs/panels.md).
    assert subscribed["placed/rooms/+/state"]["qos"] == "0"
    (broker,) = of_type("mqtt-broker")
    assert {node["broker"] for node in subscribed.values()} == {broker["id"]}
    assert not broker.get("credentials")


def test_the_flow_is_wired_and_has_only_core_nodes() -> None:
    known = nodes()
    kinds = {node["type"] for node in known.values()}
    assert kinds == {"tab", "mqtt-broker", "mqtt in", "status", "inject", "function", "debug"}
    for node in known.values():
        assert all(target in known for wires in node.get("wires", []) for target in wires)
    (tick,) = of_type("inject")
    assert tick["repeat"] == "1"


def test_the_flow_shows_a_room_until_valid_until() -> None:
    assert shown(
        (0, bridge("online")),
        (0, state()),
        (1, TICK),
        (2, state(seq=3, status="busy", free_until=None, busy_until=time(30), valid_until=time(30))),
        (3, state(seq=2)),  # older
        (29, TICK),
        (30, TICK),
        (31, state(seq=4, status="unknown", reason="forbidden")),
    ) == [None, "free", None, "busy", None, None, "valid_until has passed", "forbidden"]


def test_the_flow_shows_nothing_without_daemon_or_broker() -> None:
    assert shown(
        (0, state()),
        (1, bridge("online")),
        (2, bridge("offline")),
        (3, bridge("online")),
        (93, TICK),
        (94, bridge("online")),
        (95, LOST),
        (96, bridge("online")),
        (97, state()),
    ) == [
        "the daemon is offline",
        "free",
        "the daemon is offline",
        "free",
        "no message from the daemon",
        "free",
        "not connected to the broker",
        "no state",
        "free",
    ]


@pytest.mark.parametrize(
    "payload", ["ON", "", "[]", state(schema=2)["payload"], state(status="vacant")["payload"]]
)
def test_the_flow_does_not_show_what_it_does_not_understand(payload: str) -> None:
    topic = state()["topic"]
    assert (
        shown((0, bridge("online")), (0, state()), (1, {"topic": topic, "payload": payload}))[-1]
        == "no state"
    )


def test_the_sketch_keeps_to_the_contract() -> None:
    """That it compiles, and lights the right lights, is tried by hand: it needs the board's own libraries."""
    sketch = SKETCH.read_text("utf-8")
    for words in ("%s/rooms/%s/state", "%s/bridge/state", '"valid_until"', '"epoch"', '"seq"', '"schema"'):
        assert words in sketch
    for status in ("free", "starting", "busy", "pending"):
        assert f'strcmp(status, "{status}")' in sketch
    size = re.search(r"setBufferSize\((\d+)\)", sketch)
    assert size
    assert int(size[1]) >= 2048
    assert "configTime(0, 0," in sketch
    assert sketch.count("{") == sketch.count("}")
