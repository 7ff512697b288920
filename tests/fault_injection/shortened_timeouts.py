"""Minutes that become seconds, so that a campaign sees in minutes what else would take hours.

This is the one place that knows them. The rules are the same; what is shortened is how long somebody waits
before trying again, or for an answer that does not come.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_REST = 5.0  # seconds: of a connection, a room, a login that failed, or as the service asked for
LONGEST_PAUSE = 3.0  # seconds between two tries to reach the broker
ANSWER = 4.0  # seconds that an answer may take
KEEPALIVE = 3  # seconds; a dead connection to the broker is noticed within twice this

SHORTENED: dict[str, dict[str, object]] = {
    "placed.polling.planner": {"SELDOM": LONGEST_REST, "_LONGEST_REST": LONGEST_REST},
    "placed.polling.connection_pause": {"SELDOM": LONGEST_REST},
    "placed.polling.room_discovery": {"SELDOM": LONGEST_REST},
    "placed.polling.fence_check": {"EVERY": 20.0, "_AGAIN": LONGEST_REST},
    "placed.runtime.reload_trial": {"_PATIENCE": ANSWER},
    "placed.runtime.reload_requests": {"_LONGEST_PAUSE": 2.0},
    "placed.mqtt.oneshot": {"_TRIAL": ANSWER},
    "placed.mqtt.client_options": {"KEEPALIVE": KEEPALIVE},
    "placed.mqtt.client": {"ANSWER": ANSWER},
    "placed.mqtt.refused_topics": {"LONGEST_PAUSE": LONGEST_REST},
    "placed.mqtt.suspect_messages": {"SELDOM": LONGEST_REST, "MOST_SELDOM": LONGEST_REST},
    "placed.panel.follower": {"_LONGEST_PAUSE": LONGEST_PAUSE},
    "placed.store.writer": {"EVERY": 0.5, "ALL": 1.0},
    "placed.store.record_file": {"_AGAIN": LONGEST_REST},
    "placed_microsoft365.graph.response": {"LONGEST_REST": LONGEST_REST},
    "placed_microsoft365.graph.http_session": {
        "_TIMEOUT": aiohttp.ClientTimeout(total=ANSWER, sock_connect=2.0)
    },
    "placed_microsoft365.auth.msal_login": {"TIMEOUT": ANSWER},
    "placed_microsoft365.auth.token_cache": {
        "TIMEOUT": 2 * ANSWER,
        "_AGAIN": LONGEST_REST,
        "_RETRY_REFUSED": LONGEST_REST,
        "_GRANTS_HOLD": LONGEST_REST,
    },
    "placed_microsoft365.calendars.calendar_view": {"TIMEOUT": ANSWER},
}


@contextmanager
def shortened() -> Iterator[None]:
    """For the time of a `with` in this process."""
    before = {}
    for name, constants in SHORTENED.items():
        module = import_module(name)
        for constant, value in constants.items():
            before[module, constant] = getattr(module, constant)
            setattr(module, constant, value)
    defaults = import_module("placed.mqtt.publisher").Publisher.__init__.__kwdefaults__
    timing = defaults["timing"]
    defaults["timing"] = replace(timing, longest_pause=LONGEST_PAUSE)
    try:
        yield
    finally:
        defaults["timing"] = timing
        for (module, constant), value in before.items():
            setattr(module, constant, value)
