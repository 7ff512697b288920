"""`scripts/faults --minutes N --seed S`: a campaign, a line a fault. It exits with 1 if a rule is broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.fault_injection.campaign import Campaign
from tests.support.browser_session import NO_BROWSER, browser_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fault_injection.campaign import Outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="for how long, about")
    parser.add_argument("--storms", type=int, metavar="N", help="no more storms of faults than these")
    parser.add_argument("--seed", type=int, default=1, help="of the schedule; the same one repeats it")
    parser.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="only this kind; may be repeated"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave logs and state there")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the outcome there, as a line of JSON"
    )
    parser.add_argument("--no-pages", action="store_true", help="no browser is opened")
    options = parser.parse_args()
    pages = not options.no_pages and browser_path() is not None
    if not pages:
        _write_line(f"The pages are not watched: --no-pages, or {NO_BROWSER}.")
    with tempfile.TemporaryDirectory(prefix="placed-faults-") as temporary:
        folder = options.keep or Path(temporary)
        campaign = Campaign(folder, options.seed, _write_line, tuple(options.only), pages=pages)
        outcome = asyncio.run(campaign.run(60 * options.minutes, options.storms))
    for line in table(outcome):
        _write_line(line)
    if options.report:
        options.report.write_bytes(msgspec.json.encode(outcome) + b"\n")
    return 1 if outcome.violations else 0


def table(outcome: Outcome) -> Iterator[str]:
    """The closing lines."""
    yield ""
    for name, times in sorted(outcome.faults.items()):
        struck = f", struck a write {outcome.struck[name]} times" if name in outcome.struck else ""
        yield f"{times:8}  {name}{struck}"
    yield f"{outcome.faults.total():8}  faults in {outcome.seconds / 60:.1f} min, seed {outcome.seed}"
    for rule, times in sorted(outcome.checked.items()):
        yield f"{times:8}  states checked for {rule}"
    yield f"{outcome.heard:8}  messages heard by panels"
    yield f"{outcome.answers:8}  answers over HTTP"
    yield f"{outcome.looks:8}  looks at pages in a browser"
    yield f"{outcome.booked:8}  meetings booked, {outcome.changes} changes of calendars"
    yield f"{outcome.sensed:8}  messages of presence sensors"
    yield f"{outcome.pressed:8}  commands of panels, {outcome.written} changes of bookings by them"
    for became, times in sorted(outcome.commands.items()):
        yield f"{times:8}  of them: {became}"
    yield f"{outcome.reconnects:8}  reconnects of the daemon to its broker"
    yield f"{outcome.starts:8}  starts of the daemon"
    yield f"{outcome.delay:8.1f}  seconds for which the machine had no processor for these; they do not count"
    yield f"{outcome.overloaded:8.1f}  seconds of such an overload that nothing was expected to be in time"
    yield f"{len(outcome.violations)} violations"


def _write_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
