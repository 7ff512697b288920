"""A process that has imported placed, and forks for each start of it; run by `placed_process`, as a script.

A start imports for more than half a second of processor time, and the tests start placed hundreds of times. A
forked process has a memory, streams, environment and folder of its own, and ends as an interpreter ends.

Each request is one datagram on the socket whose number is the argument: JSON, and the descriptors of stdin,
stdout, stderr and of a pipe that receives the process's id and, when it has ended, its return code.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

PACKAGES = ("placed", "placed_google", "placed_icalendar", "placed_microsoft365")
NOT_PRELOADED = ("conformance", "demo", "simulator", "worker")  # for tests, and what starts other programs
MOST = 1 << 17  # bytes of a request


def main() -> None:
    """Serves until the tests have closed the socket; returns in each forked process, to run placed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in PACKAGES:
        _import_all(name)
    gc.collect()
    gc.freeze()  # the forked processes share it
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is not control:
                selector.unregister(key.fileobj)
                _report_end(*key.data)
                continue
            request, descriptors, _, _ = socket.recv_fds(control, MOST, 4)
            if not request:
                sys.exit()
            *streams, reports = descriptors
            process = os.fork()
            if process == 0:
                selector.close()
                control.detach()
                _become(json.loads(request), streams)
                return
            for stream in streams:
                os.close(stream)
            os.write(reports, f"{process}\n".encode())
            ended = os.pidfd_open(process)
            selector.register(ended, selectors.EVENT_READ, (process, ended, reports))


def _import_all(package: str) -> None:
    module = importlib.import_module(package)
    for found in pkgutil.iter_modules(module.__path__, f"{package}."):
        if any(word in found.name for word in NOT_PRELOADED):
            continue
        if found.ispkg:
            _import_all(found.name)
        else:
            importlib.import_module(found.name)


def _report_end(process: int, ended: int, reports: int) -> None:
    _, status = os.waitpid(process, 0)
    os.close(ended)
    with suppress(BrokenPipeError):  # if the test does not wait for it any more
        os.write(reports, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os.close(reports)


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Makes this process what `placed` would be."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 1024)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python starts


if __name__ == "__main__":
    main()
    from placed.cli import main as placed

    placed()
