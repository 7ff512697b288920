"""Campaigns in a short form, and the oracle tried: each rule that is broken on purpose is noticed.

Some of it happens at once, since it is mostly waiting; `scripts/faults` is the long form.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.fault_injection import room_and_operator_scenarios as others
from tests.fault_injection import single_fault_scenarios as scenarios
from tests.fault_injection.daemon_pace import Pace
from tests.fault_injection.process_supervisor import HOUSE
from tests.fault_injection.shortened_timeouts import shortened
from tests.support.browser_session import browser_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from tests.fault_injection.single_fault_scenarios import Play

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1800),  # for the fixture, which waits for everything
]

SEEDS = (123571,)  # whose first storm has eight faults, of every calendar service, presses and sensors
TOGETHER = 3  # more daemons than that leave too little of two cores to what runs beside
# The rule of the daemon, what happens, and the oracle's rules that notice, perhaps with the room.
RULES: dict[str, tuple[Callable[[Play], Awaitable[None]], set[str]]] = {
    "stale": (scenarios.graph_goes_away, {"lie"}),
    "will": (scenarios.the_line_is_cut, {"flicker"}),
    "republish": (scenarios.the_broker_forgets, {"recovery"}),
    "repeat": (scenarios.a_change_is_refused, {"recovery"}),
    "clock": (scenarios.the_clock_is_wrong, {"lie"}),
    "turn": (scenarios.the_endpoint_is_asked, {"expired", "lie"}),
    "commands": (
        scenarios.panels_press,
        {"action_outside", "action_other", "action_untrue", "action_elsewhere"},
    ),
    "rooms": (
        others.rooms_come_and_go,
        {"withdrawn of room-2", "lie of renamed", "recovery of room-4"},
    ),
    "fence": (others.fences_are_reported, {"fence of group", "fence of listed"}),
    "days": (others.calendars_are_odd, {"recovery of room-2", "hidden_in_messages"}),
    "texts": (
        others.texts_are_looked_for,
        {"hidden_in_messages", "hidden_in_answers", "hidden_in_files"},
    ),
    "limits": (others.a_login_answers_without_end, {"memory"}),
    "operators": (others.operators_are_at_work, {"daemon", "flicker", "start"}),
    "presence": (scenarios.the_sensors_fall_silent, {"presence", "outlives", "past_presence", "lie"}),
}
if browser_path() is not None:
    RULES["silence"] = scenarios.the_daemon_dies_before_a_page, {"silence"}
# What the world of a rule needs.
WORLDS: dict[str, dict[str, Any]] = {
    "presence": {"sensors": True},
    "commands": {"acting": True},
    "fence": {"prepare": others.nothing_is_fenced},
    "days": {"show": "organizer"},
    "texts": {"show": "organizer"},
}
# Where a fault would be hidden by a state that is published again, since it is renewed or becomes stale, or
# excused by one that expires: so none does, however slow the machine is.
LONG_LIVED = ("will", "republish", "repeat", "silence")


@dataclass
class Seen:
    """What came of everything."""

    campaigns: dict[int, tuple[int, str, dict[str, Any]]] = field(default_factory=dict)
    broken: dict[tuple[str, bool], set[str]] = field(default_factory=dict)  # by rule, and whether it was
    stories: list[str] = field(default_factory=list)
    known: list[int] = field(default_factory=list)  # how many rooms a panel showed after both were killed
    both_killed: set[str] = field(default_factory=set)
    behind: tuple[set[str], int] = (set(), 0)  # the rules broken where a clock was behind, and rooms known


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """All of it, run once."""
    seen = Seen()
    folder = tmp_path_factory.mktemp("faults")
    plays = [campaign(folder / str(seed), seed, seen) for seed in SEEDS]
    for rule in RULES:
        plays += [scenario(folder / f"{rule}-{b}", rule, seen, broken=b) for b in (True, False)]
    plays += [killed(folder / "killed", seen), behind(folder / "behind", seen)]
    turns = asyncio.Semaphore(TOGETHER)

    async def in_turn(play: Coroutine[None, None, None]) -> None:
        async with turns:
            await play

    with shortened():
        async with asyncio.TaskGroup() as group:
            for play in plays:
                group.create_task(in_turn(play))
    return seen


async def campaign(folder: Path, seed: int, seen: Seen) -> None:
    report = folder.with_suffix(".json")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fault_injection", "--storms", "1", "--seed", str(seed)),
        *("--keep", folder, "--report", report),
        "--no-pages",  # a browser takes a third of a core; the rule `silence` has one, and scripts/faults
        cwd=HOUSE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(1500):
            output = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    seen.campaigns[seed] = process.returncode, output, json.loads(report.read_text())


async def scenario(folder: Path, rule: str, seen: Seen, *, broken: bool) -> None:
    happens, _ = RULES[rule]
    pace = Pace(stale_after=3600.0, expire_after=7200.0) if rule in LONG_LIVED else None
    world = WORLDS.get(rule, {})
    async with scenarios.play(folder, rule if broken else None, pace=pace, **world) as play:
        await happens(play)
    seen.broken[rule, broken] = play.broken | play.broken_of
    if not broken:
        seen.stories += [f"{v.rule}: {v.panel}, {v.room}: {v.shown}" for v in play.violations]


async def killed(folder: Path, seen: Seen) -> None:
    async with scenarios.play(folder, persistence=True) as play:
        seen.known.append(play.known)
        await scenarios.both_are_killed(play)
        seen.known.append(play.known)
    seen.both_killed = play.broken


async def behind(folder: Path, seen: Seen) -> None:
    async with scenarios.play(folder) as play:
        await scenarios.nothing_is_remembered_and_the_clock_is_behind(play)
        seen.behind = play.broken, play.known


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_storm_of_faults_makes_no_panel_lie_and_leaves_nothing_behind(seen: Seen, seed: int) -> None:
    code, output, outcome = seen.campaigns[seed]
    assert code == 0, output
    assert outcome["violations"] == []
    assert sum(outcome["faults"].values()) == 8
    assert min(Counter(outcome["checked"]).values()) > 0
    assert set(outcome["checked"]) >= {"lie", "recovery", "flicker", "expired", "owed"}
    assert set(outcome["checked"]) >= {"fence", "start", "memory"}
    assert set(outcome["checked"]) >= {"hidden_in_messages", "hidden_in_answers", "hidden_in_files"}
    assert set(outcome["checked"]) >= {"presence", "outlives", "past_presence", "presence_recovery"}
    assert outcome["checked"]["lie"] > 1000
    assert outcome["heard"] > 100
    assert outcome["answers"] > 30
    assert outcome["sensed"] > 100
    assert outcome["pressed"] > 3
    assert outcome["checked"]["action_unanswered"] > 3


@pytest.mark.parametrize("rule", RULES)
async def test_a_rule_that_is_broken_on_purpose_is_noticed(seen: Seen, rule: str) -> None:
    assert seen.broken[rule, True] >= RULES[rule][1]
    assert seen.broken[rule, False] == set(), seen.stories


async def test_after_a_power_cut_no_panel_believes_a_dead_daemon(seen: Seen) -> None:
    """Though the broker comes back with all that it held, `online` among it."""
    assert seen.both_killed == set()
    assert seen.known == [12, 0]


async def test_a_start_with_nothing_remembered_and_a_clock_that_is_behind_is_believed(seen: Seen) -> None:
    """Its epoch is below that of the run before, by which panels would take it for old."""
    assert seen.behind == (set(), 12)
