"""The Debian package, built once, and installed as an administrator of a building server would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.end_to_end.systemd.debian_container import Box

REPOSITORY = Path(__file__).parents[3]
LATER = "99.0"


def build(folder: Path) -> Path:
    """Builds it as `scripts/build-deb` does, but for its size."""
    done = subprocess.run(
        ["scripts/build-deb", "--uncompressed", "--output", folder],
        cwd=REPOSITORY,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1790000000"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (package,) = folder.glob("placed_*.deb")
    return package


def later(package: Path, folder: Path) -> Path:
    """The same as a later version, with another configuration than it came with before."""
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    for path in (tree / "DEBIAN" / "control", *tree.rglob("placed-*.dist-info/METADATA")):
        lines = path.read_text().splitlines()
        path.write_text(
            "\n".join(f"Version: {LATER}" if x.startswith("Version: ") else x for x in lines) + "\n"
        )
    conffile = tree / "etc/placed/placed.toml"
    conffile.write_text(f"{conffile.read_text()}# more is possible now\n")
    made = folder / "later.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, made], check=True)
    return made


def install(box: Box, package: Path) -> str:
    """Installs it in the box; returns the output."""
    inside = box.root / "root" / package.name
    inside.write_bytes(package.read_bytes())
    # As apt does in its default, what the administrator has changed is kept.
    output = box.run("dpkg", "--install", "--force-confdef", "--force-confold", f"/root/{package.name}")
    inside.unlink()
    return output
