"""Writes what placed runs with, as CycloneDX 1.5: each package of uv.lock with version, hashes and licence.

With the extra `icalendar`, which the Debian package includes.

    scripts/sbom [FILE]        # stdout without a file

The same for the same lock: no time, no random number. Hashes, dependencies and addresses are those of
`uv export`; licences are those that the packages installed in .venv declare. Packages for other systems than
Linux, such as colorama, are left out: they are never installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
_OTHER_SYSTEMS = "sys_platform == 'win32'"
_MARKER = "uv:package:marker"
# The licence names of packages from before PEP 639, as SPDX expressions.
_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "BSD-2-Clause": "BSD-2-Clause",
    "BSD-3-Clause": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT": "MIT",
    "MIT OR Apache-2.0": "MIT OR Apache-2.0",
    "MPL-2.0": "MPL-2.0",
    "PSF-2.0": "PSF-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
}
# Packages whose licence is only in the text of their licence file.
_READ = {"aiomqtt": "BSD-3-Clause", "mqtt5": "BSD-3-Clause", "segno": "BSD-3-Clause"}


def bill() -> dict[str, Any]:
    """The whole document."""
    document: dict[str, Any] = json.loads(_exported())
    document.pop("serialNumber")
    document["metadata"].pop("timestamp")
    left_out = {part["bom-ref"] for part in document["components"] if _is_for_others(part)}
    document["components"] = [part for part in document["components"] if part["bom-ref"] not in left_out]
    for part in (document["metadata"]["component"], *document["components"]):
        part["licenses"] = [{"expression": _licence(part["name"])}]
    document["dependencies"] = [
        {**whose, "dependsOn": [ref for ref in whose.get("dependsOn", []) if ref not in left_out]}
        for whose in document["dependencies"]
        if whose["ref"] not in left_out
    ]
    return document


def _exported() -> bytes:
    uv = HOUSE / ".venv" / "bin" / "uv"
    options = ("--quiet", "--frozen", "--no-dev", "--extra", "icalendar", "--format", "cyclonedx1.5")
    command = [str(uv), "export", "--preview-features", "sbom-export", *options]
    return subprocess.run(command, cwd=HOUSE, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - uv of ours


def _is_for_others(part: dict[str, Any]) -> bool:
    return any(
        entry["name"] == _MARKER and entry["value"] == _OTHER_SYSTEMS for entry in part.get("properties", [])
    )


def _licence(name: str) -> str:
    """The SPDX expression.

    Raises:
        LookupError: the package declares none that is known here.
    """
    about = metadata.metadata(name)
    for expression in about.get_all("License-Expression") or []:
        return str(expression)
    declared = [*(about.get_all("License") or []), *(about.get_all("Classifier") or [])]
    known = next((_SPDX[words] for words in declared if words in _SPDX), _READ.get(name))
    if known is None:
        raise LookupError(f"{name}: its licence is not known here: {declared}")
    return known


def main() -> None:
    """Writes it to the file that is named, or to stdout."""
    text = json.dumps(bill(), indent=2, ensure_ascii=False) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, "utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
