"""The kit's script for Apps Script, run for real in Node.js with a little Calendar and directory."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright._impl._driver import compute_driver_executable

from tests.drivers.google.setup_kit.sample_kits import BOARDROOM, LIBRARY, texts
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NODE = compute_driver_executable()[0]  # Playwright brings one, so none has to be installed

# As Apps Script runs it: all files in one scope, and the advanced services as global objects. Their calls are
# those of the reference of Calendar v3 and Directory v1; an error has `details.code`.
HARNESS = """
const [code, name, calendars, pages, slow, kept] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const calls = [], logged = [];
const RealDate = Date;
let now = 0;
globalThis.Date = class extends RealDate { static now() { return now; } };
const fail = (status, text) => {
  throw Object.assign(new Error(`API call failed with error: ${text}`), { details: { code: status } });
};
const missing = () => fail(404, "Not Found");
const rules = (id) => calendars[id] === "broken" ? fail(403, "Forbidden") : calendars[id] || missing();
const call = (...words) => { calls.push(words); now += slow; };
globalThis.Calendar = { Acl: {
  get(id, rule) { call("get", id); const role = rules(id)[rule]; return role ? { role } : missing(); },
  list(id) { call("list", id); return { items: Object.keys(rules(id)) }; },
  insert(body, id, options) {
    call("insert", id, options);
    rules(id)[`${body.scope.type}:${body.scope.value}`] = body.role;
  },
  remove(id, rule) { call("remove", id); if (!rules(id)[rule]) missing(); delete rules(id)[rule]; },
} };
globalThis.AdminDirectory = { Resources: { Calendars: {
  list(customer, options) {
    call("rooms", customer, options);
    const place = Number(options.pageToken || 0);
    const items = pages[place].map((resourceEmail) => ({ resourceEmail }));
    const next = place + 1 < pages.length ? { nextPageToken: String(place + 1) } : {};
    return items.length ? { items, ...next } : next;
  },
} } };
globalThis.PropertiesService = { getScriptProperties: () => ({
  getProperty: (key) => kept[key] || null,
  setProperty: (key, value) => { kept[key] = value; },
  deleteProperty: (key) => { delete kept[key]; },
}) };
const log = (text) => logged.push(text);
globalThis.console = { log, warn: log, error: log };
let raised = null;
try { new Function(`${code}\\n;return ${name}();`)(); } catch (error) { raised = error.message; }
process.stdout.write(JSON.stringify({ calendars, calls, logged, raised, kept }));
"""


@dataclass
class Workspace:
    """Calendars with their access rules, and the pages of the directory's list."""

    calendars: dict[str, Any] = field(default_factory=lambda: {BOARDROOM: {}, LIBRARY: {}})
    pages: Sequence[Sequence[str]] = ()
    slow: int = 0  # milliseconds of each call
    kept: dict[str, str] = field(default_factory=dict)  # the properties of the script
    calls: list[list[Any]] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    raised: str | None = None

    def run(self, function: str, variant: str = "rooms", *, actions: bool = False) -> None:
        script = texts(variant, actions=actions)["share-rooms.gs"]
        given = [script, function, self.calendars, self.pages, self.slow, self.kept]
        ran = subprocess.run(
            [NODE, "-e", HARNESS],
            input=json.dumps(given),
            capture_output=True,
            check=True,
            text=True,
            timeout=DEADLINE,
        )
        result: Mapping[str, Any] = json.loads(ran.stdout)
        self.calendars = result["calendars"]
        self.calls = result["calls"]
        self.logged = result["logged"]
        self.raised = result["raised"]
        self.kept = result["kept"]

    @property
    def changes(self) -> list[list[Any]]:
        return [call for call in self.calls if call[0] in ("insert", "remove")]
