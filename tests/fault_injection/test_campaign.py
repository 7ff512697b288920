"""Campaigns in a short form, and the oracle tried: each rule that is broken on purpose is noticed.

Some of it happens at once, since it is mostly waiting; `scripts/faults` is the long form.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.fault_injection import single_fault_scenarios as scenarios
from tests.fault_injection.environment import Pace
from tests.fault_injection.process_supervisor import HOUSE
from tests.fault_injection.shortened_timeouts import shortened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from tests.fault_injection.single_fault_scenarios import Play

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1800),  # for the fixture, which waits for everything
]

SEEDS = (
    3887,
    5253,
    15163,
    16260,
)  # whose first storms have eight faults each, have little in common, and are short
TOGETHER = 6  # more daemons than that start too slowly where other tests run beside
WITH_PAGES = SEEDS[0]  # a browser is much to start; one campaign has one
# The rule of the daemon, what happens, and the oracle's rules that notice.
RULES: dict[str, tuple[Callable[[Play], Awaitable[None]], set[str]]] = {
    "stale": (scenarios.graph_goes_away, {"lie"}),
    "will": (scenarios.the_line_is_cut, {"flicker"}),
    "republish": (scenarios.the_broker_forgets, {"recovery"}),
    "repeat": (scenarios.a_change_is_refused, {"recovery"}),
    "clock": (scenarios.the_clock_is_wrong, {"lie"}),
    "turn": (scenarios.the_endpoint_is_asked, {"expired", "lie"}),
}
if shutil.which("chromium") is not None:
    RULES["silence"] = scenarios.the_daemon_dies_before_a_page, {"silence"}
LONG_LIVED = (
    "republish",
    "repeat",
    "silence",
)  # where states that are renewed every few seconds would hide the fault


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
        *(() if seed == WITH_PAGES else ("--no-pages",)),
        cwd=HOUSE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(1500):
            told = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    seen.campaigns[seed] = process.returncode, told, json.loads(report.read_text())


async def scenario(folder: Path, rule: str, seen: Seen, *, broken: bool) -> None:
    happens, _ = RULES[rule]
    pace = Pace(expire_after=90.0) if rule in LONG_LIVED else None
    async with scenarios.play(folder, rule if broken else None, pace=pace) as play:
        await happens(play)
    seen.broken[rule, broken] = play.broken
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
    code, told, outcome = seen.campaigns[seed]
    assert code == 0, told
    assert outcome["violations"] == []
    assert sum(outcome["faults"].values()) == 8
    assert min(Counter(outcome["checked"]).values()) > 0
    assert set(outcome["checked"]) >= {"lie", "recovery", "flicker", "expired", "owed"}
    assert outcome["checked"]["lie"] > 1000
    assert outcome["heard"] > 100
    assert outcome["answers"] > 30
    assert (outcome["looks"] > 30) == (seed == WITH_PAGES and shutil.which("chromium") is not None)


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
