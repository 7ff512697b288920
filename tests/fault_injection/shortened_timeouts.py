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
READY = 2.0  # seconds after which a start is over, whatever the network does
KEEP_ALIVE = 3  # seconds; a dead connection to the broker is noticed within twice this
LONG_LIE = 20.0
"""Seconds for which a service claims that nothing changed. It has to be longer than the budget of the oracle
and `LONGEST_REST` together: else a driver that believes it for ever would not be noticed."""

SHORTENED: dict[str, dict[str, object]] = {
    "placed.polling.reading_planner": {"SELDOM": LONGEST_REST, "_LONGEST_REST": LONGEST_REST},
    "placed.polling.connection_pause": {"SELDOM": LONGEST_REST},
    "placed.polling.room_discovery": {"SELDOM": LONGEST_REST},
    "placed.polling.fence_check": {"EVERY": 20.0, "_AGAIN": LONGEST_REST},
    "placed.runtime.reload_trial": {"_PATIENCE": ANSWER},
    "placed.runtime.configuration_reloader": {"_LONGEST_PAUSE": 2.0},
    "placed.mqtt.oneshot": {"_TRIAL": ANSWER},
    "placed.mqtt.client.timeouts": {"KEEP_ALIVE": KEEP_ALIVE, "ANSWER": ANSWER},
    "placed.mqtt.refused_topic_schedule": {"LONGEST_PAUSE": LONGEST_REST},
    "placed.mqtt.suspect_messages": {"SELDOM": LONGEST_REST, "MOST_SELDOM": LONGEST_REST},
    "placed.panel.panel_client": {"_LONGEST_PAUSE": LONGEST_PAUSE},
    "placed.store.periodic_writer": {"EVERY": 0.5, "ALL": 1.0},
    "placed.store.fault_tolerant_database": {"_AGAIN": LONGEST_REST},
    "placed.driver.network.retry_after": {"LONGEST_REST": LONGEST_REST},
    "placed.driver.network.http_session": {"_TIMEOUT": aiohttp.ClientTimeout(total=ANSWER, sock_connect=2.0)},
    "placed_microsoft365.auth.msal_login": {"TIMEOUT": ANSWER},
    "placed.driver.token_cache": {
        "TIMEOUT": 2 * ANSWER,
        "_AGAIN": LONGEST_REST,
        "_RETRY_REFUSED": LONGEST_REST,
        "_GRANTS_HOLD": LONGEST_REST,
    },
    "placed_microsoft365.calendars.calendar_view": {"TIMEOUT": ANSWER},
    "placed_google.api.reply": {"_REST_OF_MINUTES": LONGEST_REST, "LONGEST_REST": LONGEST_REST},
    "placed_google.calendars.room_calendar": {"TIMEOUT": ANSWER},
    "placed_icalendar.feeds.feed_client": {"WITHIN": ANSWER},
    "placed_icalendar.feeds.host_turns": {"PATIENCE": ANSWER / 2},
    "placed_icalendar.feeds.answer_errors": {"REFUSED_FOR": LONGEST_REST, "_PAUSE": LONGEST_REST},
    "placed_icalendar.feeds.refused_logins": {"REFUSED_FOR": LONGEST_REST},
    "placed_icalendar.feeds.room_feed": {"WHOLE_EVERY": LONGEST_REST},
    "placed_icalendar.feeds.feed_fence": {"EVERY": 20.0},
    "placed_icalendar.caldav.change_tags": {"FULL_WITHIN": LONGEST_REST},
    "placed_icalendar.caldav.dav_client": {"ASK_AGAIN_AFTER": LONGEST_REST},
    "placed_icalendar.caldav.dav_errors": {"ASK_AGAIN_AFTER": LONGEST_REST},
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
    surroundings = import_module("placed.runtime.daemon").DaemonSurroundings.__init__
    of_daemon, ready_within = surroundings.__defaults__, import_module("placed.runtime.daemon").READY_WITHIN
    surroundings.__defaults__ = tuple(READY if value == ready_within else value for value in of_daemon)
    subscription = import_module("placed.sensors.sensor_broker_connection").SensorSubscription.__init__
    of_sensors = subscription.__defaults__
    subscription.__defaults__ = (replace(of_sensors[0], longest_pause=LONGEST_PAUSE), *of_sensors[1:])
    try:
        yield
    finally:
        defaults["timing"] = timing
        subscription.__defaults__ = of_sensors
        surroundings.__defaults__ = of_daemon
        for (module, constant), value in before.items():
            setattr(module, constant, value)
