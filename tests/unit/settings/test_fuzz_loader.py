"""Any content of files and environment gives settings, or a line a mistake with its place and no secret."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from copy import deepcopy
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from placed.settings.loader import Configuration, ConfigurationError, load

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow  # hypothesis draws hundreds of files and variables

EXAMPLE = (Path(__file__).parents[3] / "config" / "placed.toml").read_text("utf-8")
SECRET = "hunter2-hush"
# Words of pydantic, of its settings and of Python, which mean nothing to an operator.
INTERNAL = re.compile(
    r"[Ii]nput should|[Vv]alid (?:string|integer|tuple|dictionary|boolean|list|set)|pattern|pydantic|instance"
    r"|SettingsSource|Error|Traceback|datetime\.|timedelta\(|\^\$|\(\?|NoneType|\bstr\b|\bdict\b|None"
)
TREE: dict[str, Any] = tomllib.loads(EXAMPLE) | {
    "polling": {
        "interval": "30s",
        "days_ahead": 1,
        "concurrency": 8,
        "rediscover": "5m",
        "budget": 11000,
        "working_days": ["mon"],
        "working_hours": "07:00-19:00",
    },
    "occupancy": {"lead": "5m", "busy_for": ["busy"], "stale_after": "90s", "expire_after": "15m"},
    "privacy": {"show": "nothing"},
    "mqtt": {"url": "mqtts://broker.example", "base_topic": "placed", "protocol": "5"},
    "http": {"listen": "127.0.0.1:8620", "allow_anonymous": False},
    "home_assistant": {"discovery": True, "discovery_prefix": "homeassistant"},
}

fuzz = settings(
    max_examples=75, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from([name for table in TREE.values() if isinstance(table, dict) for name in table]),
    st.sampled_from(
        [
            *(
                "connections",
                "mqtt",
                "fence",
                "name",
                "microsoft365",
                "",
                "*",
                "a@b",
                "-1s",
                "9" * 400 + "d",
                "1e9s",
            ),
            *(
                "mqtts://[",
                "mqtt://h:99999",
                "http://h",
                "[::1]:0",
                ":70000",
                "Europe",
                "../UTC",
                "\0",
                "x\ny",
                "$HOME",
            ),
        ]
    ),
)
values = st.recursive(
    st.one_of(
        words,
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.booleans(),
        st.datetimes(),
        st.dates(),
        st.times(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=5,
)
# Where people who have not read the manual put what nobody shall see.
slips = st.sampled_from(
    [
        (("connections", 0, "client_secret"), SECRET),
        (("connections", 0, "client_secret_file"), [SECRET]),
        (("connections", 0, "secret"), {"value": SECRET}),
        (("mqtt", "password"), SECRET),
        (("mqtt", "password_file"), {"is": SECRET}),
        (("mqtt", "url"), f"mqtts://placed:{SECRET}@broker.example"),
        (("mqtt", "url"), f"mqtts://placed:{SECRET}@["),
        (("mqtt", "url"), f"mqtts://placed:{SECRET}@broker\u2100.example"),
        (("http", "token"), SECRET),
        (("http", "token_file"), [[SECRET]]),
        (("connections", 0, "authority"), f"https://placed:{SECRET}@login.example"),
    ]
)


def containers(value: Any) -> Iterator[Any]:
    """Every table and list in it, and itself."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)) and inner:
            yield from containers(inner)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """The example's settings, some of which are something else, gone, or new."""
    tree = deepcopy(TREE)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.sampled_from(list(containers(tree))))
        steps = list(at) if isinstance(at, dict) else list(range(len(at)))
        do = draw(st.sampled_from(["change", "take out", "add"]))
        if do == "add" and isinstance(at, dict):
            at[draw(words)] = draw(values)
        elif do == "take out" and steps:
            del at[draw(st.sampled_from(steps))]
        elif steps:
            at[draw(st.sampled_from(steps))] = draw(values)
    for (table, *path), value in draw(st.lists(slips, max_size=2)):
        place = tree.get(str(table))
        if path[0] == 0:
            place = place[0] if isinstance(place, list) and place else None
        if isinstance(place, dict):
            place[path[-1]] = value
    return tree


variables = st.dictionaries(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "PLACED_MQTT__URL",
                    "PLACED_MQTT",
                    "PLACED_CONNECTIONS",
                    "PLACED_ROOMS",
                    "PLACED_HTTP__LISTEN",
                ),
                *(
                    "PLACED_POLLING__INTERVAL",
                    "PLACED_POLLING__INTERVAL__X",
                    "PLACED_",
                    "PLACED_MQTT__",
                    "placed_mqtt",
                ),
                *(
                    "PLACED_ROOMS__A",
                    "PLACED_ROOMS__A__ID",
                    "PLACED_CONNECTIONS__0__NAME",
                    "PLACED_PRIVACY__SHOW",
                ),
            ]
        ),
        st.from_regex(r"PLACED_[A-Z_]{1,12}", fullmatch=True),
    ),
    st.one_of(
        words.filter(lambda word: "\0" not in word),
        values.map(lambda value: json.dumps(value, default=str)),
        st.sampled_from(["{", "[", '{"url":', "null", "[[]]", "NaN", "1" * 5000, "[" * 3000]),
    ),
    max_size=3,
)


def toml(value: Any) -> str:
    """The value as TOML; tables are written inline."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return (
        json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
        if isinstance(value, str)
        else str(value)
    )


def loaded(content: bytes, environment: dict[str, str]) -> Configuration | None:
    """The configuration, or None if it is refused as it should be."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, environment):
        for name in ("PLACED_CONFIG", "CREDENTIALS_DIRECTORY"):
            os.environ.pop(name, None)
        path = Path(folder) / "placed.toml"
        path.write_bytes(content)
        try:
            configuration = load(path)
        except ConfigurationError as error:
            refused = error
        else:
            # What is made of it later on is good as well.
            policy, polling = configuration.settings.policy, configuration.settings.polling
            assert policy.stale_after <= policy.expire_after
            assert polling.rediscover_or_default.total_seconds() > 0
            assert polling.hours.since < polling.hours.until
            assert configuration.settings.longest_interval <= policy.expire_after
            return configuration
    assert refused.problems
    for problem in (found.line for found in refused.problems):
        assert problem.startswith((f"{path}: ", "environment: ")), problem
        assert problem.isprintable(), problem
        assert SECRET not in problem, problem
        assert not INTERNAL.search(problem), problem
    return None


def test_the_tree_that_all_is_made_of_is_good() -> None:
    written = "\n".join(f"{toml(key)} = {toml(value)}" for key, value in TREE.items())
    assert loaded(written.encode(), {}) is not None


@fuzz
@given(trees())
def test_settings_of_any_shape(tree: dict[str, Any]) -> None:
    loaded("\n".join(f"{toml(key)} = {toml(value)}" for key, value in tree.items()).encode(), {})


@fuzz
@given(
    st.lists(st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 9), st.binary(max_size=9)), max_size=4)
)
@example([(0, 0, b"\xff")])
@example([(0, 0, b"a = " + b"[" * 5000)])
@example([(0, 0, b"a = " + b"1" * 5000)])
def test_files_of_any_bytes(edits: list[tuple[int, int, bytes]]) -> None:
    """The example, of which some bytes are others."""
    content = bytearray(EXAMPLE.encode())
    for place, length, inserted in edits:
        content[place : place + length] = inserted
    loaded(bytes(content), {})


@fuzz
@given(variables)
@example({"PLACED_MQTT__PASSWORD": SECRET})
@example({"PLACED_MQTT": "[" * 5000})
@example({"PLACED_MQTT": f'{{"url": "mqtts://broker.example", "password": "{SECRET}"'})
@example({"PLACED_MQTT__URL": f"mqtts://placed:{SECRET}@broker.example"})
def test_variables_of_any_kind(environment: dict[str, str]) -> None:
    loaded(EXAMPLE.encode(), environment)
