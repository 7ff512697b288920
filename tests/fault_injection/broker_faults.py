"""Faults of what the broker answers to the daemon: it refuses messages, or ends the connection at them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.fault_injection.fault_catalogue import fault
from tests.support.mqtt_proxy import HANG_UP, SWALLOW

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World

_LEAVES = ("state", "availability", "status", "+")


def _some_topic(world: World, chance: random.Random) -> str:
    return f"placed/rooms/{chance.choice((*world.all_rooms, '+'))}/{chance.choice(_LEAVES)}"


@fault("broker.refuses_a_few_messages", "answers of the broker")
async def refuses_a_few(world: World, chance: random.Random, seconds: float) -> None:
    """Of a quota that is reached, or without a reason; then it takes all again."""
    code = chance.choice((0x80, 0x83, 0x97))
    with world.answers.rule(code, "placed/rooms/#", times=chance.randint(1, 12)):
        await asyncio.sleep(seconds)


@fault("broker.refuses_a_topic", "answers of the broker", longest=10.0)
async def refuses_a_topic(world: World, chance: random.Random, seconds: float) -> None:
    """An access list forbids it for a while."""
    with world.answers.rule(0x87, _some_topic(world, chance)):
        await asyncio.sleep(seconds)


@fault("broker.refuses_everything", "answers of the broker", longest=10.0)
async def refuses_everything(world: World, chance: random.Random, seconds: float) -> None:
    """An access list forbids all."""
    del chance
    with world.answers.rule(0x87):
        await asyncio.sleep(seconds)


@fault("broker.hangs_up_at_a_topic", "answers of the broker", longest=8.0)
async def hangs_up_at_a_topic(world: World, chance: random.Random, seconds: float) -> None:
    """It ends the connection instead of a refusal: with a reason, another one, or none."""
    disconnect = chance.choice((None, 0x87, 0x8B, 0x96))
    with world.answers.rule(HANG_UP, _some_topic(world, chance), disconnect=disconnect):
        await asyncio.sleep(seconds)


@fault("broker.hangs_up_at_a_size", "answers of the broker", longest=8.0)
async def hangs_up_at_a_size(world: World, chance: random.Random, seconds: float) -> None:
    """A limit that it does not announce: the index is beyond it, or states are, too."""
    with world.answers.rule(HANG_UP, larger_than=chance.choice((350, 600, 2000))):
        await asyncio.sleep(seconds)


@fault("broker.never_answers_to_a_topic", "answers of the broker", "late")
async def never_answers(world: World, chance: random.Random, seconds: float) -> None:
    """A message vanishes."""
    with world.answers.rule(SWALLOW, _some_topic(world, chance), times=3):
        await asyncio.sleep(seconds)
