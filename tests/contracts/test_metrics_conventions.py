"""The metrics keep Prometheus' own rules, and what comes along for Prometheus and Grafana knows them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.contracts.prometheus_server import DASHBOARD, REPOSITORY, RULES, Prometheus, promtool
from tests.contracts.scripted_day import day, two_connections

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contracts.scripted_day import Day
    from tests.support.deployment import Deployment

PAGE = REPOSITORY / "docs" / "integrations.md"
ALERTS = REPOSITORY / "tests" / "contracts" / "alert_rule_tests.yml"
# https://prometheus.io/docs/practices/naming/ has the base units; a count of things has none.
UNITS = ("_seconds", "_bytes", "_total", "_info", "_ratio")
COUNTS = {
    "placed_rooms",
    "placed_rooms_stale",
    "placed_connection_rooms_failing",
    "placed_connection_impossible_meetings",
    "placed_fence_excess_permissions",
    "placed_fence_warnings",
    "placed_http_sse_clients",
    "placed_mqtt_topics_undelivered",
    "placed_rooms_by_use",
    "placed_sensors",
    "process_open_fds",
    "process_max_fds",
}
YES_OR_NO = {
    "placed_room_status",
    "placed_room_occupied",
    "placed_connection_up",
    "placed_fence_state",
    "placed_consent_state",
    "placed_mqtt_connected",
    "placed_sensor_broker_connected",
}
RADAR = """
[[sensors]]
topic = "z/radar"
room = "boardroom"
presence = "occupancy"
kind = "radar"
"""


def add_sensor(deployment: Deployment) -> None:
    deployment.file.write_text(deployment.file.read_text() + RADAR)


async def somebody_is_in_the_boardroom(today: Day) -> None:
    await today.running.daemon.sensors.subscriptions[None].connected.wait()
    begun = today.heard
    await today.panel.publish("z/radar", '{"occupancy":true}')
    await today.published("boardroom", after=begun, use="unbooked")


def used(expression: str) -> set[str]:
    """The metrics that an expression asks for."""
    return set(re.findall(r"\b(?:placed|process)_\w+", expression))


def panels() -> list[dict[str, Any]]:
    """The dashboard's, without its headings."""
    found = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


EXPRESSIONS = [
    (f"{panel['title']} {target['refId']}", target["expr"])
    for panel in panels()
    for target in panel["targets"]
]
RULE_LIST = yaml.safe_load(RULES.read_text("utf-8"))["groups"][0]["rules"]


async def test_a_lively_daemon_s_metrics_are_as_prometheus_wants_them_and_are_known_to_all(
    tmp_path: Path,
) -> None:
    async with two_connections(tmp_path) as (deployment, group):
        add_sensor(deployment)
        deployment.tenant.faults.status(404, code="ErrorItemNotFound", room="atrium")
        async with day(deployment, group) as today, today.web.follow():
            await today.people_change_their_minds()
            await today.a_meeting_comes_and_goes_by_the_clock()
            status, text = await today.web.get("/metrics")
    assert status == 200
    checked = promtool("check", "metrics", given=text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")

    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name, family in families.items():
        assert family.documentation.endswith("."), name
        reported = f"{name}_total" if family.type == "counter" else name
        counted = reported in COUNTS | YES_OR_NO
        assert counted or reported.endswith(UNITS), f"{name}: in what unit?"
        assert not (counted and reported.endswith(UNITS)), name
        if name in YES_OR_NO:
            assert {sample.value for sample in family.samples} <= {0, 1}
    names = {sample.name for family in families.values() for sample in family.samples}
    assert names >= COUNTS | YES_OR_NO
    for title, expression in EXPRESSIONS:
        assert used(expression), title
        assert used(expression) <= names, title
    for rule in RULE_LIST:
        assert used(rule["expr"]) <= names, rule["alert"]
    shown = {name for _, expression in EXPRESSIONS for name in used(expression)}
    ours = {name for name in names if name.startswith("placed_")}
    assert ours <= shown  # no metric is forgotten
    assert ours == set(re.findall(r"`(placed_[a-z_]+)(?:\{[a-z,]+\})?`", PAGE.read_text("utf-8")))


def test_promtool_would_notice() -> None:
    assert promtool("check", "metrics", given="placed_uptime_minutes 3\n").returncode != 0


def test_the_rules_are_valid_and_every_alert_has_a_remedy() -> None:
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for rule in RULE_LIST:
        assert rule["alert"].startswith("Placed")
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_each_alert_is_raised_when_it_should_be_and_not_before() -> None:
    tried = promtool("test", "rules", ALERTS)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    text = ALERTS.read_text("utf-8")
    assert [rule["alert"] for rule in RULE_LIST if rule["alert"] not in text] == []


def test_an_alert_that_is_not_raised_would_be_noticed(tmp_path: Path) -> None:
    tests = yaml.safe_load(ALERTS.read_text("utf-8"))
    (down,) = [test for test in tests["tests"] if test["name"] == "the program is down"]
    down["input_series"][0]["values"] = "1 1x9"
    broken = tmp_path / "alert_rule_tests.yml"
    broken.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": [down]}))
    assert promtool("test", "rules", broken).returncode != 0


def test_the_page_lists_every_alert_and_its_scrape_configuration_is_one(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    assert set(re.findall(r"`(Placed\w+)`", page)) == {rule["alert"] for rule in RULE_LIST}
    (snippet,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", page, re.DOTALL)
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(snippet.replace("/etc/prometheus/placed.rules.yml", str(RULES)))
    checked = promtool("check", "config", configuration)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert yaml.safe_load(snippet)["scrape_configs"][0]["job_name"] == "placed"


def test_no_panel_of_the_dashboard_covers_another() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} covers {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_the_dashboard_queries_the_selected_prometheus_and_servers() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    assert [v["name"] for v in dashboard["templating"]["list"]] == ["datasource", "instance", "connection"]
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
    for title, expression in EXPRESSIONS:
        assert 'instance=~"$instance"' in expression, title


async def test_a_real_prometheus_has_something_for_every_panel_and_raises_no_alert_it_should_not(
    tmp_path: Path,
) -> None:
    async with two_connections(tmp_path / "placed") as (deployment, group):
        add_sensor(deployment)
        deployment.tenant.faults.status(404, code="ErrorItemNotFound", room="atrium")
        async with day(deployment, group) as today:
            await today.a_meeting_comes_and_goes_by_the_clock()
            await somebody_is_in_the_boardroom(today)
            async with Prometheus.scraping(tmp_path, today.running.url) as prom:
                for title, expression in EXPRESSIONS:
                    asked = re.sub(r"\$(instance|connection)\b", ".*", expression)
                    found = await prom.until(asked.replace("$__rate_interval", "5s"))
                    assert found, title
                pending = await prom.until('ALERTS{alertname="PlacedRoomsUnknown",connection="group"}')
                assert pending[0]["metric"]["alertstate"] == "pending"
                raised = {series["metric"]["alertname"] for series in await prom.ask("ALERTS")}
    assert raised == {"PlacedRoomsUnknown"}


@pytest.mark.parametrize("title", ["Rooms now", "Occupied rooms by building", "Fence", "Consent"])
def test_the_dashboard_has_what_people_look_for(title: str) -> None:
    assert title in {panel["title"] for panel in panels()}
