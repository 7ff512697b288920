"""Tries every broker, and writes docs/brokers.md; scripts/brokers calls it."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

from tests.end_to_end.brokers.broker_checks import PROTOCOLS, tried
from tests.end_to_end.brokers.broker_software import ALL, MissingError, Software
from tests.end_to_end.brokers.brokers_page import PAGE, Tried, written


async def try_one(broker: Software, folder: Path) -> Tried:
    """One broker, over both versions of MQTT."""
    try:
        version = broker.version
        await broker.start()
        records = {protocol: await tried(broker, protocol, folder / protocol) for protocol in PROTOCOLS}
    except MissingError as reason:
        return Tried(broker.name, broker.source, "", {}, str(reason))
    finally:
        await broker.stop()
    return Tried(broker.name, broker.source, version, records)


async def main() -> None:
    """All of them, one after the other."""
    logging.disable(logging.CRITICAL)
    found = []
    for software in ALL:
        with tempfile.TemporaryDirectory() as folder:
            one = await try_one(software(Path(folder) / "broker"), Path(folder) / "deployment")
        for protocol, record in one.records.items():
            failed = [name for name, passed in record.passed.items() if passed is False]
            print(f"{one.name} {one.version}, MQTT {protocol}: {record.refused or failed or 'all good'}")  # noqa: T201
            for finding in record.doctor:
                print(f"  doctor: {finding}")  # noqa: T201
        if one.missing:
            print(f"{one.name}: not tried, {one.missing}")  # noqa: T201
        found.append(one)
    PAGE.write_text(written(PAGE.read_text("utf-8"), found), "utf-8")


asyncio.run(main())
