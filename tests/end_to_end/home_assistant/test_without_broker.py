from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.daemon_environment import Stage


async def test_without_a_broker_it_is_reported_that_no_discovery_is_published(stage: Stage) -> None:
    stage.configure(mqtt=None, home_assistant={"discovery": True})
    async with stage.daemon() as running:
        (told,) = running.logged("home_assistant.is_not_told")
        assert "mqtt.url" in told["remedy"]
