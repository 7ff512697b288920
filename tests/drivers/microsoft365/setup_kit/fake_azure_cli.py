"""A little of the Azure CLI, and of the Entra behind it, in a file. It refuses what it does not know.

Run as `az`, by what `Az` in test_kit_register.py puts on the PATH. Answers are picked with the real JMESPath.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import jmespath

_STATE = "AZ_STATE"


class _Mistake(Exception):
    """What the real one would answer with an error."""


def _parsed(words: list[str]) -> tuple[str, dict[str, list[str]]]:
    command: list[str] = []
    options: dict[str, list[str]] = {}
    current: list[str] | None = None
    for word in words:
        if word.startswith("--"):
            current = options.setdefault(word, [])
        elif current is None:
            command.append(word)
        else:
            current.append(word)
    return " ".join(command), options


def _app(state: dict[str, Any], identity: str) -> dict[str, Any]:
    if state.get("lag", 0) > 0:
        state["lag"] -= 1
        raise _Mistake(f"Resource '{identity}' does not exist")
    for app in state["apps"]:
        if app["appId"] == identity:
            found: dict[str, Any] = app
            return found
    raise _Mistake(f"Resource '{identity}' does not exist")


def _filtered(items: list[dict[str, Any]], condition: str) -> list[dict[str, Any]]:
    found = re.fullmatch(r"(\w+) eq '([^']*)'", condition)
    if found is None:
        raise _Mistake(f"filter {condition}")
    return [item for item in items if item[found[1]] == found[2]]


def _key(state: dict[str, Any], path: str) -> dict[str, Any]:
    if not path.startswith("@"):
        raise _Mistake("expected @FILE")
    lines = Path(path[1:]).read_text("utf-8").splitlines()
    if "PRIVATE" in "".join(lines):
        raise _Mistake("a private key was uploaded")
    der = base64.b64decode("".join(line for line in lines if not line.startswith("-----")))
    sha1 = hashlib.sha1(der, usedforsecurity=False).digest()
    named = base64.b64encode(sha1).decode() if state["identifiers"] == "base64" else sha1.hex().upper()
    return {"customKeyIdentifier": named, "keyId": f"key-{len(state['calls'])}"}


def _answer(state: dict[str, Any], command: str, options: dict[str, list[str]]) -> Any:  # noqa: C901, PLR0911, PLR0912
    def one(name: str) -> str:
        (value,) = options[name]
        return value

    match command:
        case "cloud show":
            return {"endpoints": {"microsoftGraphResourceId": state["graph"] + "/"}}
        case "account show":
            if not state["signed_in"]:
                raise _Mistake("Please run 'az login' to setup account.")
            return {"tenantId": state["tenant"]}
        case "rest" if one("--url") == f"{state['graph']}/v1.0/organization":
            return {"value": [{"verifiedDomains": [{"name": name} for name in state["domains"]]}]}
        case "rest" if one("--url") == f"{state['graph']}/v1.0/applications" and one("--method") == "post":
            body = json.loads(Path(one("--body").removeprefix("@")).read_text("utf-8"))
            app = {"appId": f"00000000-0000-4000-8000-{len(state['apps']):012}", "keyCredentials": [], **body}
            state["apps"].append(app)
            state["lag"] = state.get("slow", 0)
            return app
        case "rest" if one("--method") == "patch":
            found = re.search(r"/applications\(appId='([^']+)'\)$", one("--url"))
            if found is None:
                raise _Mistake(one("--url"))
            _app(state, found[1]).update(json.loads(one("--body")))
            return None
        case "ad app list":
            return _filtered(state["apps"], one("--filter"))
        case "ad app show":
            return _app(state, one("--id"))
        case "ad app update":
            _app(state, one("--id"))["web"] = {"redirectUris": options["--web-redirect-uris"]}
            return None
        case "ad app credential list" if "--cert" in options:
            return _app(state, one("--id"))["keyCredentials"]
        case "ad app credential reset":
            app = _app(state, one("--id"))
            kept = app["keyCredentials"] if "--append" in options else []
            app["keyCredentials"] = [*kept, _key(state, one("--cert"))]
            return {"appId": app["appId"], "password": None}
        case "ad app credential delete" if "--cert" in options:
            app = _app(state, one("--id"))
            app["keyCredentials"] = [k for k in app["keyCredentials"] if k["keyId"] != one("--key-id")]
            return None
        case "ad sp list":
            return _filtered(state["principals"], one("--filter"))
        case "ad sp create":
            principal = {"appId": _app(state, one("--id"))["appId"], "id": f"sp-{len(state['principals'])}"}
            state["principals"].append(principal)
            return principal
    raise _Mistake(f"'{command}' is misspelled or not recognized by the system")


def _tsv(value: Any) -> str:
    if value is None:
        return ""
    rows = value if isinstance(value, list) else [value]
    return "".join("\t".join(map(str, row if isinstance(row, list) else [row])) + "\r\n" for row in rows)


def main() -> int:
    """As `az`."""
    file = Path(os.environ[_STATE])
    state = json.loads(file.read_text("utf-8"))
    command, options = _parsed(sys.argv[1:])
    state["calls"].append(sys.argv[1:])
    try:
        answer = _answer(state, command, options)
        code = 0
    except _Mistake as mistake:
        sys.stderr.write(f"ERROR: {mistake}\n")
        answer, code = None, 1
    file.write_text(json.dumps(state), "utf-8")
    if code == 0:
        query = options.get("--query")
        sys.stdout.write(_tsv(jmespath.search(query[0], answer) if query else None))
    return code


if __name__ == "__main__":
    sys.exit(main())
