"""A program that reads a large calendar and a hostile one, as the driver does: in its worker.

It runs where placed is installed without the tests: `scripts/check-packaging`, and the unit of systemd.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from placed_icalendar.occurrences.calendar_reader import CalendarReader, OverBudget, Window
from placed_icalendar.occurrences.worker_process import Budget

ASKED = Window(
    datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 8, tzinfo=UTC), ZoneInfo("UTC"), None, details=True
)
SERIES = 2000


def calendar(rule: str) -> bytes:
    lines = ["BEGIN:VCALENDAR"]
    for number in range(SERIES):
        start = f"DTSTART;TZID=W. Europe Standard Time:2026010{number % 7 + 1}T090000"
        lines += ["BEGIN:VEVENT", f"UID:{number}", start, f"RRULE:{rule}", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR"]).encode()


async def main() -> None:
    reader = CalendarReader(budget=Budget(seconds=2))
    for _ in range(2):
        found = await reader.read([calendar("FREQ=WEEKLY")], ASKED)
        if found is None or len(found.meetings) != SERIES or reader.worker_pid is None:
            sys.exit("the worker does not find the meetings")
        try:
            await reader.read(
                [calendar("FREQ=DAILY;INTERVAL=7;BYDAY=TU,WE,TH,FR;BYMONTHDAY=31;BYMONTH=2")], ASKED
            )
        except OverBudget as reason:
            if "more than 2 s" not in str(reason):
                sys.exit(str(reason))
        else:
            sys.exit("a hostile calendar is within the budget")
    await reader.close()


if __name__ == "__main__":
    asyncio.run(main())
