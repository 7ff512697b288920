"""What placed runs with: pinned by hash, listed with its licence, and looked up where advisories are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK: dict[str, Any] = tomllib.loads((REPOSITORY / "uv.lock").read_text("utf-8"))
PACKAGES = {package["name"]: package for package in LOCK["package"]}
PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0"),
    *("Unlicense", "Zlib"),
}
# Whose files stay under it when they are changed; placed changes none, and may be passed on as it is.
OF_ITS_OWN_FILES = {"certifi": "MPL-2.0"}
NOT_ON_LINUX = "sys_platform == 'win32'"
ADVISORY = {
    "id": "TEST-2026-1",
    "summary": "Made up for a test",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "msal", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


def needed() -> set[str]:
    """The packages that the lock has placed run with on Linux, with the extra of the Debian package."""
    found: set[str] = set()
    waiting: list[tuple[str, tuple[str, ...]]] = [("placed", ("icalendar",))]
    while waiting:
        name, extras = waiting.pop()
        package = PACKAGES[name]
        optional = package.get("optional-dependencies", {})
        wanted = [*package.get("dependencies", ()), *(d for extra in extras for d in optional.get(extra, ()))]
        for dependency in wanted:
            if dependency.get("marker") == NOT_ON_LINUX:
                continue
            if dependency["name"] not in found or "extra" in dependency:
                waiting.append((dependency["name"], tuple(dependency.get("extra", ()))))
            found.add(dependency["name"])
    return found


def artifacts(name: str) -> dict[str, str]:
    """The hashes of a package's files by their addresses, as the lock has them."""
    package = PACKAGES[name]
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    return {file["url"]: file["hash"].removeprefix("sha256:") for file in files}


def bill() -> bytes:
    return subprocess.run([REPOSITORY / "scripts" / "sbom"], check=True, stdout=subprocess.PIPE).stdout


def test_every_package_is_locked_by_hash() -> None:
    """Those of the tests, too: they run on developers' machines."""
    unlocked = [name for name in PACKAGES if name != "placed" and not artifacts(name)]
    assert unlocked == []
    assert {len(digest) for name in PACKAGES for digest in artifacts(name).values()} == {64}


def test_a_server_gets_nothing_of_what_only_the_demonstration_needs() -> None:
    server = {part["name"] for part in json.loads(bill())["components"]}
    assert server.isdisjoint({"amqtt", "trustme", "websockets", "transitions", "passlib"})


def test_the_bill_of_materials_matches_the_lock_and_has_only_permissive_licences() -> None:
    first = bill()
    document = json.loads(first)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    parts = {part["name"]: part for part in document["components"]}
    assert set(parts) == needed()
    assert len(parts) > 20
    for name, part in parts.items():
        version = PACKAGES[name]["version"]
        assert part["purl"] == f"pkg:pypi/{name}@{version}"
        listed = {file["url"]: file["hashes"][0]["content"] for file in part["externalReferences"]}
        assert listed == artifacts(name)
        (licence,) = part["licenses"]
        choices = [
            set(re.findall(r"[\w.-]+", choice)) - {"AND"} for choice in licence["expression"].split(" OR ")
        ]
        assert any(choice <= PERMISSIVE | {OF_ITS_OWN_FILES.get(name, "MIT")} for choice in choices), licence
    references = {document["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in parts.values())}
    for whose in document["dependencies"]:
        assert {whose["ref"], *whose["dependsOn"]} <= references
    assert document["metadata"]["component"]["licenses"] == [{"expression": "MIT"}]
    assert bill() == first


# --- advisories ---------------------------------------------------------------------------------------------


@contextmanager
def advisories(against: str | None, *, html: bool = False) -> Iterator[str]:
    """A service like OSV's on loopback, which knows of one advisory at most; its address."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            known = {"vulns": [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]}
            self._respond({"results": [known if q["package"]["name"] == against else {} for q in asked]})

        def do_GET(self) -> None:
            self._respond(ADVISORY)

        def _respond(self, document: object) -> None:
            body = b"<html>Please log in</html>" if html else json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if html else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def audit(service: str, cache: Path) -> tuple[int, str]:
    """Its exit code and its output."""
    done = subprocess.run(
        [REPOSITORY / "scripts" / "audit"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **os.environ,
            "PLACED_ADVISORIES": service,
            "UV_CACHE_DIR": str(cache),
            "UV_HTTP_RETRIES": "0",
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1"),
        },
    )
    return done.returncode, done.stdout


def test_without_advisories_the_audit_is_good(tmp_path: Path) -> None:
    with advisories(None) as service:
        code, output = audit(service, tmp_path)
    assert code == 0, output
    assert "no known vulnerabilities" in output


def test_an_advisory_is_reported_with_the_version_that_fixes_it(tmp_path: Path) -> None:
    with advisories("msal") as service:
        code, output = audit(service, tmp_path)
    assert code == 1, output
    for words in (f"msal {PACKAGES['msal']['version']}", "TEST-2026-1: Made up for a test", "99.0"):
        assert words in output


def test_an_unreachable_advisory_service_gives_no_verdict(tmp_path: Path) -> None:
    service = f"http://127.0.0.1:{free_port()}/"
    code, output = audit(service, tmp_path)
    assert code == 4, output
    assert output.startswith(f"audit: {service} was not reached (")
    assert output.endswith("nothing is known about the versions in uv.lock\n")
    assert output.count("\n") == 1


def test_the_page_of_a_stranger_is_no_clean_audit(tmp_path: Path) -> None:
    with advisories(None, html=True) as service:
        code, output = audit(service, tmp_path)
    assert code == 2, output
    assert "no known vulnerabilities" not in output
