"""Microsoft's own OpenAPI of the paths in use, for checking requests and answers.

The document is large and is not part of the project; it is used where it lies beside the checkout, and a test
that wants it is marked with `needs_contract`. It departs from JSON Schema and from the service in three ways
that are corrected here: `nullable`, properties that are a bare `$ref` and may be null all the same, and OData
annotations, which it takes for objects.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from jsonschema import Draft202012Validator

SUBSET = Path(__file__).parents[4] / "shared" / "graph" / "openapi-subset.json"

needs_contract = pytest.mark.skipif(
    not SUBSET.is_file(), reason="the OpenAPI subset of Microsoft Graph does not lie beside the checkout"
)

# In use and documented by Microsoft, but not in the subset.
BEYOND = (
    re.compile(r"/\$batch"),
    re.compile(r"/users/[^/]+/calendar"),
    re.compile(r"/groups"),
    re.compile(r"/groups/[^/]+"),
    re.compile(r"/groups/[^/]+/members(/microsoft\.graph\.user)?"),
    re.compile(r"/places/microsoft\.graph\.roomlist", re.IGNORECASE),
)
ALWAYS_ALLOWED = frozenset({"$skiptoken"})  # opaque, from a next link
LISTS = frozenset({"$select", "$orderby", "$expand"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One path and method of the document."""

    path: re.Pattern[str]
    parameters: dict[str, dict[str, Any]]
    answer: dict[str, Any]


class Contract:
    """What requests and answers have to look like."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document: dict[str, Any] = _corrected(document)
        self._operations = {
            (method.upper(), path): self._operation(path, operation)
            for path, methods in self._document["paths"].items()
            for method, operation in methods.items()
            if method in ("get", "post", "patch", "delete")
        }

    def request_problems(self, method: str, target: str) -> list[str]:
        """What is wrong with a request; `target` is path and query below `/v1.0`, as it is sent.

        A path that Microsoft documents beyond the subset is only checked for how it is written.
        """
        path, _, query = target.partition("?")
        operation = self._find(method, path)
        if operation is None:
            known = any(pattern.fullmatch(unquote(path)) for pattern in BEYOND)
            return [] if known else [f"{method} {path}: no such path in the contract"]
        given = parse_qsl(query, keep_blank_values=True)
        names = [name for name, _ in given]
        problems = [f"{name} is given twice" for name in set(names) if names.count(name) > 1]
        problems += [
            f"{name} is missing"
            for name, parameter in operation.parameters.items()
            if parameter.get("required") and name not in names
        ]
        for name, value in given:
            if name in operation.parameters:
                problems += self._value_problems(name, value, operation.parameters[name]["schema"])
            elif name not in ALWAYS_ALLOWED:
                problems.append(f"{name} is no parameter of {path}")
        return problems

    def answer_problems(self, method: str, target: str, status: int, document: object) -> list[str]:
        """What is wrong with an answer: types, and names of properties that the type does not have."""
        operation = self._find(method, target.partition("?")[0])
        if operation is None:
            raise LookupError(f"{method} {target}: no such path in the contract")
        wanted = (
            operation.answer
            if status < 300
            else {"$ref": "#/components/schemas/microsoft.graph.ODataErrors.ODataError"}
        )
        schema = {**wanted, "components": self._document["components"]}
        problems = [
            f"{error.json_path}: {error.message}"
            for error in Draft202012Validator(schema).iter_errors(document)
        ]
        if status < 300:
            problems += self._unknown_properties(operation.answer, document)
        return problems

    def object_problems(self, type_name: str, document: dict[str, Any]) -> list[str]:
        """What is wrong with an object of a type: its values, and properties that the type does not have."""
        reference = {"$ref": f"#/components/schemas/{type_name}"}
        schema = {**reference, "components": self._document["components"]}
        problems = [error.message for error in Draft202012Validator(schema).iter_errors(document)]
        unknown = document.keys() - self._properties(reference)
        return [*problems, *(f"{name} is no property of {type_name}" for name in sorted(unknown))]

    def _operation(self, path: str, operation: dict[str, Any]) -> Operation:
        parameters = [self._resolve(parameter) for parameter in operation.get("parameters", [])]
        answers = operation["responses"]
        answer = self._resolve(answers.get("2XX") or answers["default"])
        content = answer.get("content", {"application/json": {"schema": {}}})
        # A key in the path may be anything but a slash; casts are compared without case.
        pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))
        return Operation(
            re.compile(pattern, re.IGNORECASE),
            {parameter["name"]: parameter for parameter in parameters if parameter["in"] == "query"},
            content["application/json"]["schema"],
        )

    def _find(self, method: str, path: str) -> Operation | None:
        plain = unquote(path)
        for (wanted, _), operation in self._operations.items():
            if wanted == method.upper() and operation.path.fullmatch(plain):
                return operation
        return None

    def _value_problems(self, name: str, value: str, schema: dict[str, Any]) -> list[str]:
        if schema.get("type") == "integer":
            good = value.isdecimal() and int(value) >= schema.get("minimum", 0)
            return [] if good else [f"{name}={value} is no such number"]
        if schema.get("type") == "boolean":
            return [] if value in ("true", "false") else [f"{name}={value} is neither true nor false"]
        if name == "$select":
            return [f"$select={value}: empty name" for part in value.split(",") if not part.strip()]
        return [] if value.strip() else [f"{name} is empty"]

    def _unknown_properties(self, schema: dict[str, Any], document: object) -> list[str]:
        """Of the items of a collection; annotations have an at sign and are passed over."""
        whole = self._resolve(schema)
        items = whole.get("properties", {}).get("value", {}).get("items")
        if items is None or not isinstance(document, dict):
            return []
        problems = []
        for number, item in enumerate(document["value"]):
            known = self._properties(self._derived(items, item))
            problems += [
                f"$.value[{number}].{name} is no property of the type"
                for name in item
                if "@" not in name and name not in known
            ]
        return problems

    def _derived(self, base: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
        """The type that the item declares, or that of the collection."""
        name = str(item.get("@odata.type", "")).removeprefix("#")
        found: dict[str, Any] = self._document["components"]["schemas"].get(name, base)
        return found

    def _properties(self, schema: dict[str, Any]) -> set[str]:
        whole = self._resolve(schema)
        found = set(whole.get("properties", {}))
        for part in whole.get("allOf", []):
            found |= self._properties(part)
        return found

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema


@cache
def load() -> Contract:
    """The contract; only for tests that are marked with `needs_contract`."""
    return Contract(json.loads(SUBSET.read_text(encoding="utf-8")))


def _corrected(node: Any) -> Any:
    """The document as JSON Schema 2020-12."""
    if isinstance(node, list):
        return [_corrected(part) for part in node]
    if not isinstance(node, dict):
        return node
    corrected = {
        name: _corrected(part) for name, part in node.items() if name not in ("nullable", "discriminator")
    }
    if corrected.get("additionalProperties") == {"type": "object"}:
        del corrected["additionalProperties"]
    if isinstance(corrected.get("properties"), dict):
        corrected["properties"] = {
            name: {"anyOf": [part, {"type": "null"}]} if set(part) == {"$ref"} else part
            for name, part in corrected["properties"].items()
        }
    if node.get("nullable") is True and isinstance(corrected.get("type"), str):
        corrected["type"] = [corrected["type"], "null"]
    return corrected
