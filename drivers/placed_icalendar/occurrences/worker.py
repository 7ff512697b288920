"""The process that reads large calendars: `python -m placed_icalendar.occurrences.worker BYTES`.

It reads tasks from standard input and writes replies to standard output, until the input ends. It opens no
connection, and it writes no log: what it reads are other people's titles and names.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import threading

from placed_icalendar.calendar_text.malformed import Malformed, OverBudget
from placed_icalendar.occurrences.reading import read_calendars
from placed_icalendar.occurrences.worker_messages import (
    Found,
    Refused,
    Reply,
    Same,
    Task,
    framed_reply,
    next_task,
)


def main() -> None:
    """Serves until the daemon closes the input, or ends."""
    limit_memory(int(sys.argv[1]))
    threading.Thread(target=_end_with_the_daemon, daemon=True).start()
    while (found := next_task(sys.stdin.buffer)) is not None:
        sys.stdout.buffer.write(framed_reply(reply_to(*found)))
        sys.stdout.buffer.flush()


def reply_to(task: Task, bodies: list[bytes]) -> Reply:
    """Reads the bodies."""
    try:
        contents = read_calendars(bodies, task.window, task.known)
    except Malformed as problem:
        return Refused(
            problem.what, problem.line, problem.property_name, over_budget=isinstance(problem, OverBudget)
        )
    except MemoryError:
        return Refused("reading it takes too much memory", over_budget=True)
    return Same() if contents is None else Found(contents)


def limit_memory(size: int) -> None:
    """Limits the address space, in bytes.

    The daemon watches the memory as well: the unit of systemd allows no process to set limits.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _end_with_the_daemon() -> None:
    """Ends this process when nobody is left at the other end of its input, whatever it is calculating."""
    watch = select.poll()
    watch.register(sys.stdin.fileno(), 0)  # no event but that the other end was closed
    watch.poll()
    os.kill(os.getpid(), signal.SIGKILL)  # from this thread, nothing else ends a calculation


if __name__ == "__main__":
    main()
