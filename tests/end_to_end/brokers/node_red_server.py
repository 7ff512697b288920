"""A real Node-RED on loopback with the flow that is shipped, and a page that returns what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from tests.end_to_end.brokers.broker_software import Software, npm, program
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOW: Final = Path(__file__).resolve().parents[3] / "config" / "examples" / "node-red-flow.json"
VERSION: Final = "4.1.8"  # later ones want a newer node than Debian has
_SETTINGS = """module.exports = {{
  uiHost: "{host}", uiPort: {port}, flowFile: "flows.json", disableEditor: true, credentialSecret: false,
  logging: {{ console: {{ level: "info" }} }}, telemetry: {{ enabled: false }},
}}
"""
_KEEP = 'const shown = global.get("shown") || {}; shown[msg.topic] = msg.payload; global.set("shown", shown);'
_ANSWER = 'msg.payload = global.get("shown") || {}; return msg;'


class NodeRed(Software):
    """Node-RED with the flow, at a broker's port."""

    name, source = "Node-RED", "npm"

    def __init__(self, folder: Path, broker: int, *, qos: str | None = None) -> None:
        super().__init__(folder)
        self._broker = broker
        self._qos = qos  # of the subscription to all rooms, if it is to be another than the flow's

    async def start(self) -> None:
        """Starts it."""
        home, _ = npm("node-red", VERSION)
        (self.folder / "settings.js").write_text(_SETTINGS.format(host=HOST, port=self.port))
        (self.folder / "flows.json").write_text(json.dumps(self._flow()))
        red = home / "node_modules" / "node-red" / "red.js"
        await self._run(
            program("node"), red, "--userDir", self.folder, "--settings", self.folder / "settings.js"
        )
        await self._listens(self.port)

    async def shown(self) -> Mapping[str, Mapping[str, Any]]:
        """The flow's last output for each room, by its id."""
        url = f"http://{HOST}:{self.port}/shown"
        async with aiohttp.ClientSession() as session, session.get(url) as page:
            reported: Mapping[str, Mapping[str, Any]] = await page.json() if page.status == 200 else {}
            return reported

    async def free(self) -> int:
        """How many rooms it shows as free."""
        return sum(panel["status"] == "free" for panel in (await self.shown()).values())

    def _flow(self) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = json.loads(FLOW.read_text("utf-8"))
        (tab,) = [node["id"] for node in nodes if node["type"] == "tab"]
        for node in nodes:
            if node["type"] == "mqtt-broker":
                node |= {"broker": HOST, "port": str(self._broker)}
            if node["type"] == "function":
                node["wires"][0].append("keep")
            if node["type"] == "mqtt in" and "+" in node["topic"] and self._qos is not None:
                node["qos"] = self._qos
        usual: dict[str, Any] = {"z": tab, "x": 0, "y": 0, "wires": [[]]}
        function = {"type": "function", "outputs": 1, "libs": [], "initialize": "", "finalize": ""}
        return [
            *nodes,
            {**usual, **function, "id": "keep", "func": _KEEP},
            {
                **usual,
                "id": "ask",
                "type": "http in",
                "url": "/shown",
                "method": "get",
                "wires": [["reply"]],
            },
            {**usual, **function, "id": "reply", "func": _ANSWER, "wires": [["answer"]]},
            {**usual, "id": "answer", "type": "http response"},
        ]
