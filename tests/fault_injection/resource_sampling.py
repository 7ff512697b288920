"""`placed run` in a process that regularly writes its size: a line of JSON to a file.

python -m tests.fault_injection.resource_sampling --config FILE --sample FILE
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

_EVERY = 5.0  # seconds
_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--sample", type=Path, required=True)
    options = parser.parse_args()
    sys.argv[1:] = ["run", "--config", str(options.config), "--log-format", "json"]
    from placed.cli import main as placed  # noqa: PLC0415 - the same
    from placed.runtime import signals  # noqa: PLC0415 - as `placed run` imports it

    serve = signals.serve

    async def sampled(*arguments: Any) -> None:
        sampler = asyncio.create_task(_sample(options.sample))
        try:
            await serve(*arguments)
        finally:
            sampler.cancel()

    signals.serve = sampled  # type: ignore[assignment]
    placed()


async def _sample(file: Path) -> None:
    began = time.monotonic()
    with file.open("a") as samples:
        while True:
            await asyncio.sleep(_EVERY)
            document = {
                "at": round(time.monotonic() - began, 1),
                "rss": int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE,  # noqa: ASYNC240 - no disk
                "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),  # noqa: ASYNC240 - the same
                "tasks": len(asyncio.all_tasks()),
                "threads": threading.active_count(),
                "cpu": round(time.process_time(), 1),
            }
            samples.write(json.dumps(document) + "\n")
            samples.flush()


if __name__ == "__main__":
    main()
