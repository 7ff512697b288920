"""What came to the panel, to be looked at in detail when it is all there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.harness.mqtt_packets import messages

if TYPE_CHECKING:
    from tests.benchmarks.child_process import Child
    from tests.benchmarks.harness.mqtt_packets import Message


def heard(panel: Child) -> list[Message]:
    """The messages that came since it began, in their order."""
    with tempfile.NamedTemporaryFile() as file:
        panel.ask("keep", file=file.name)
        return list(messages(Path(file.name).read_bytes()))
