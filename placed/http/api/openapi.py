"""The OpenAPI 3.1 description of the endpoint, from openapi.json."""

from __future__ import annotations

from importlib.resources import files

import msgspec


def description(version: str) -> bytes:
    """The description, with the program's version filled in."""
    document = msgspec.json.decode(files("placed.http.api").joinpath("openapi.json").read_bytes())
    document["info"]["version"] = version
    return msgspec.json.encode(document)
