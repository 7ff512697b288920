"""The measures. Each is a module with `measure(effort) -> Result`, and runs in a process of its own."""

MEASURES = (
    "startup",
    "polling",
    "peers",
    "google",
    "rounds",
    "memory",
    "edges",
    "burst",
    "cold_start",
    "rooms",
    "streams",
    "freshness",
    "throttling",
    "calendars",
    "sensors",
    "flood",
    "press",
)

# What the short form takes: cheap and steady, so that every run of the checks can afford it.
SHORT = ("startup", "polling", "rooms", "calendars", "sensors")
