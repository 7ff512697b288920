"""The settings: where they come from, and what holds without them."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from placed.domain.model import ShowAs
from placed.domain.privacy import Show
from placed.domain.working_hours import WorkingHours
from placed.driver import find_drivers
from placed.settings.loader import ConfigurationError, load
from placed.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


EXAMPLE = Path(__file__).parents[3] / "config" / "placed.toml"
CONNECTION = """
[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "contoso.example"
client_id = "00000000-0000-0000-0000-000000000001"
client_secret_file = "/run/secret"
rooms = ["boardroom@contoso.example"]
"""


def mistakes(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return [problem.line.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_the_example_is_good_as_it_stands() -> None:
    settings = load(EXAMPLE).settings
    assert [connection.name for connection in settings.connections] == ["contoso"]


FEED = """
[[connections]]
name = "feeds"
driver = "icalendar"
[connections.feeds]
boardroom = "https://calendars.example/boardroom.ics"
"""


def test_only_the_drivers_that_connections_name_are_imported(file: Callable[[str], Path]) -> None:
    assert load(file(CONNECTION)).drivers.keys() == {"microsoft365"}
    both = load(file(CONNECTION + FEED))
    assert both.drivers.keys() == {"microsoft365", "icalendar"}
    assert [c.driver for c in both.settings.connections] == ["microsoft365", "icalendar"]


def test_connections_of_the_environment_may_name_any_driver(
    file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = '{"name": "feeds", "driver": "icalendar", "feeds": {"b": "https://calendars.example/b.ics"}}'
    monkeypatch.setenv("PLACED_CONNECTIONS", f"[{feed}]")
    assert [c.driver for c in load(file(CONNECTION)).settings.connections] == ["icalendar"]


def _uncommented(line: str) -> str:
    """A key that is commented out, with its value, as it would be set."""
    found = re.match(r"# ([a-z_]+ = (?:\"[^\"…]*\"|\[[^\]]*\]|[\w.]+))(?:\s+#.*)?$", line)
    return found[1] if found else line


def test_what_the_example_shows_as_defaults_are_the_defaults(file: Callable[[str], Path]) -> None:
    tables = ("[polling]", "[occupancy]", "[privacy]", "[home_assistant]")
    lines, wanted = [], False
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if line.startswith("["):
            wanted = line in tables
        if wanted:
            lines.append(_uncommented(line))
    spelt_out = load(file(CONNECTION + "\n".join(lines))).settings
    default = load(file(CONNECTION)).settings
    assert "stale_after" in "\n".join(lines)
    assert spelt_out.policy == default.policy
    assert spelt_out.polling.rediscover_or_default == default.polling.rediscover_or_default
    for table in ("interval", "days_ahead", "concurrency"):
        assert getattr(spelt_out.polling, table) == getattr(default.polling, table)
    assert spelt_out.privacy == default.privacy
    assert spelt_out.home_assistant == default.home_assistant


def _keys(model: type[BaseModel]) -> set[str]:
    keys = set()
    for name, known in model.model_fields.items():
        keys.add(known.alias or name)
        for candidate in (known.annotation, *getattr(known.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                keys |= _keys(candidate)
    return keys


def test_the_example_names_every_key_and_no_other() -> None:
    # The keys of the table `feeds` are the rooms' names, which the operator chooses.
    feeds = re.compile(r"^(# \[connections\.feeds\]).*\n(?:# \w+ = .*\n)+", re.MULTILINE)
    example = feeds.sub(r"\1\n", EXAMPLE.read_text("utf-8"))
    named = set(re.findall(r"^(?:# )?([a-z_]+) = ", example, re.MULTILINE))
    tables = set(re.findall(r"^(?:# )?\[+(?:(?!sensor_brokers)\w+\.)*([a-z_]+)", example, re.MULTILINE))
    known = _keys(Settings).union(*(_keys(kind.Settings) for kind in find_drivers().values()))
    assert named | tables == known


def test_every_key_is_documented() -> None:
    def undocumented(model: type[BaseModel]) -> list[str]:
        found = []
        for name, known in model.model_fields.items():
            inner = [c for c in (known.annotation, *getattr(known.annotation, "__args__", ())) if c]
            tables = [c for c in inner if isinstance(c, type) and issubclass(c, BaseModel)]
            for table in tables:
                found += undocumented(table)
            if not known.description and not tables:
                found.append(f"{model.__name__}.{name}")
        return found

    assert undocumented(Settings) == []
    for kind in find_drivers().values():
        assert undocumented(kind.Settings) == []


def test_defaults(file: Callable[[str], Path]) -> None:
    settings = load(file(CONNECTION)).settings
    assert settings.connections[0].time_zone == ZoneInfo("UTC")
    assert settings.policy.stale_after == timedelta(seconds=90)
    assert settings.policy.expire_after == timedelta(minutes=15)
    assert settings.policy.busy_for == {
        ShowAs.BUSY,
        ShowAs.TENTATIVE,
        ShowAs.OOF,
        ShowAs.WORKING_ELSEWHERE,
    }
    assert settings.polling.rediscover_or_default == timedelta(minutes=5)
    assert settings.privacy.show is Show.NOTHING
    assert settings.http.listen == "127.0.0.1:8620"
    assert settings.mqtt is None


def test_stale_after_follows_the_interval_and_never_passes_expire_after(file: Callable[[str], Path]) -> None:
    assert load(file(f'{CONNECTION}\n[polling]\ninterval = "1s"')).settings.policy.stale_after == timedelta(
        seconds=3
    )
    slow = load(file(f'{CONNECTION}\n[polling]\ninterval = "10m"')).settings.policy
    assert slow.stale_after == slow.expire_after


@pytest.mark.parametrize(
    ("written", "longest"),
    [
        ("", 300),
        ('[polling]\ninterval = "10s"\n', 100),
        ('[occupancy]\nexpire_after = "3m"\n', 60),
        ('[occupancy]\nstale_after = "90s"\n', 30),
    ],
)
def test_no_room_is_read_so_seldom_that_it_would_be_stale_or_unknown_for_it(
    file: Callable[[str], Path], written: str, longest: float
) -> None:
    settings = load(file(f"{CONNECTION}\n{written}")).settings
    assert settings.longest_interval == timedelta(seconds=longest)


def test_working_hours_are_read(file: Callable[[str], Path]) -> None:
    written = 'working_days = ["sat", "sun"]\nworking_hours = "08:30-24:00"\n'
    hours = load(file(f"{CONNECTION}\n[polling]\n{written}")).settings.polling.hours
    assert hours == WorkingHours(frozenset((5, 6)), timedelta(hours=8, minutes=30), timedelta(hours=24))
    assert load(file(CONNECTION)).settings.polling.hours == WorkingHours()


@pytest.mark.parametrize("wrong", ["19:00-07:00", "7-19", "07:00-24:30", "07:60-19:00", "always", ""])
def test_working_hours_that_are_none_are_refused(file: Callable[[str], Path], wrong: str) -> None:
    (mistake,) = mistakes(file(f'{CONNECTION}\n[polling]\nworking_hours = "{wrong}"\n'))
    assert mistake.startswith("polling.working_hours: ")
    assert "expected hours such as 07:00-19:00" in mistake


def test_later_files_win_and_connections_add_up(file: Callable[[str], Path], tmp_path: Path) -> None:
    main = file(CONNECTION + '[polling]\ninterval = "30s"\ndays_ahead = 3\n')
    folder = tmp_path / "placed.d"
    folder.mkdir()
    (folder / "20-more.toml").write_text('[polling]\ninterval = "20s"\n', "utf-8")
    (folder / "10-other.toml").write_text(
        CONNECTION.replace('"contoso"', '"fabrikam"') + '[polling]\ninterval = "10s"\n', "utf-8"
    )
    settings = load(main).settings
    assert [c.name for c in settings.connections] == ["contoso", "fabrikam"]
    assert settings.polling.interval == timedelta(seconds=20)
    assert settings.polling.days_ahead == 3


def test_the_environment_wins(file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACED_POLLING__INTERVAL", "7s")
    monkeypatch.setenv("PLACED_MQTT__URL", "mqtt://broker.example")
    settings = load(file(f'{CONNECTION}\n[polling]\ninterval = "30s"\ndays_ahead = 4')).settings
    assert settings.polling.interval == timedelta(seconds=7)
    assert settings.polling.days_ahead == 4
    assert settings.mqtt
    assert settings.mqtt.url == "mqtt://broker.example"


def test_systemd_credentials_win_over_files(
    file: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "placed_mqtt__username").write_text("panel-publisher\n", "utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    settings = load(file(f'{CONNECTION}\n[mqtt]\nurl = "mqtt://b"\nusername = "other"')).settings
    assert settings.mqtt
    assert settings.mqtt.username == "panel-publisher"


def test_a_path_may_begin_with_the_credentials_directory(
    file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/placed.service")
    settings = load(file(f'{CONNECTION}\n[http]\ntoken_file = "$CREDENTIALS_DIRECTORY/token"')).settings
    assert settings.http.token_file == Path("/run/credentials/placed.service/token")


def test_numbers_do_for_words_where_people_write_numbers(file: Callable[[str], Path]) -> None:
    text = '[rooms."a@b.c"]\nfloor = 3\n[mqtt]\nurl = "mqtt://b"\nprotocol = 5\n'
    settings = load(file(CONNECTION + text)).settings
    assert settings.rooms["a@b.c"].floor == "3"
    assert settings.mqtt
    assert settings.mqtt.protocol == "5"


def test_the_file_may_be_named_by_the_environment(
    file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACED_CONFIG", str(file(CONNECTION)))
    assert load().settings.connections[0].name == "contoso"


def test_the_toml_of_the_example_is_what_a_plain_reader_reads() -> None:
    assert "connections" in tomllib.loads(EXAMPLE.read_text("utf-8"))
