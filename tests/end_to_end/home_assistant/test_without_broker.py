from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.deployment import Deployment


async def test_without_a_broker_it_is_reported_that_no_discovery_is_published(deployment: Deployment) -> None:
    deployment.configure(mqtt=None, home_assistant={"discovery": True})
    async with deployment.daemon() as running:
        (reported,) = running.logged("home_assistant.has_no_broker")
        assert "mqtt.url" in reported["remedy"]
