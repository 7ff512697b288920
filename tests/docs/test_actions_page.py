"""The page about actions and its examples agree with the program."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from placed.domain.action import Refusal, Reply
from placed.domain.command_message import read_body, read_payload
from placed.settings.panel_tokens import read_panel_tokens
from tests.support.deadlines import DEADLINE
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "actions.md").read_text("utf-8")
FLOW = REPOSITORY / "config" / "examples" / "node-red-book-button.json"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_payloads_are_a_command_and_a_reply() -> None:
    command, reply = blocks("json")
    assert read_payload(command.encode()).until is not None
    assert set(json.loads(reply)) == set(Reply.__struct_fields__)
    (body,) = re.findall(r"--json '(.*?)'", PAGE)
    assert read_body(body.encode()).action == "book"


def test_the_table_of_a_panel_is_accepted(tmp_path: Path) -> None:
    (table,) = blocks("toml")
    write_secret(tmp_path / "panels.toml", table)
    (panel,) = read_panel_tokens(tmp_path / "panels.toml", None).panels
    assert panel.name == "boardroom-door"


def test_every_reason_is_explained() -> None:
    section = PAGE.partition("## Why a command is refused")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    named = set(re.findall(r"`([a-z_]+)`", " ".join(rows)))
    assert named - {"reason"} == set(Refusal)


def test_the_flow_sends_commands_with_a_new_key_each_time() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (function,) = [one for one in json.loads(FLOW.read_text("utf-8")) if one["type"] == "function"]
    harness = "const code = require('fs').readFileSync(0, 'utf8'); const run = new Function(code);"
    harness += "process.stdout.write(JSON.stringify([run(), run()]));"
    ran = subprocess.run(
        [node, "-e", harness],
        input=function["func"],
        capture_output=True,
        check=True,
        text=True,
        timeout=DEADLINE,
    )
    sent: list[Any] = json.loads(ran.stdout)
    commands = [read_payload(json.dumps(message["payload"]).encode()) for message in sent]
    assert commands[0].key != commands[1].key
    for message, command in zip(sent, commands, strict=True):
        assert (message["topic"], message["qos"], message["retain"]) == (
            "placed/rooms/boardroom/command/book",
            1,
            False,
        )
        assert command.issued_at is not None
        assert command.until is not None
        assert (command.until - command.issued_at).total_seconds() == 30 * 60
