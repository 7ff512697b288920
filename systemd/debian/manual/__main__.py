"""`python -m systemd.debian.manual FOLDER VERSION`: the manual pages, of the day of SOURCE_DATE_EPOCH."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from systemd.debian.manual import commands, settings

folder, version = Path(sys.argv[1]), sys.argv[2]
day = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC).date()
for made in (commands.page(version, day), settings.page(version, day)):
    (folder / f"{made.name}.{made.section}").write_text(str(made), "utf-8")
