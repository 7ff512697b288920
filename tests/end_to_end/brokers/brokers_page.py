"""The table of brokers in docs/brokers.md, from what came of the trials. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.end_to_end.brokers.broker_checks import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.end_to_end.brokers.broker_checks import Protocol, Record

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "brokers.md"
BEGIN, END = "<!-- scripts/brokers writes from here -->", "<!-- to here -->"
WORDS: Final = {
    "placed publishes": "`placed run` publishes, and panels that connect later get the states",
    "comes back": "after the broker was killed and started again, everything is published again",
    "QoS 1": "QoS 1",
    "retained, by topic": "retained messages, to a client that subscribes by the topic",
    "retained, by `+`": "retained messages, to a client that subscribes with `+`",
    "retained, by `#`": "retained messages, to a client that subscribes with `#`",
    "clearing": "an empty message clears",
    "2 MiB": "messages of 2 MiB (the index of 5,500 rooms)",
    "2,000 rooms at QoS 0": "2,000 rooms to a client that subscribes to all with QoS 0",
    "2,000 rooms at QoS 1": "the same with QoS 1",
    "expiry": "retained messages expire",
    "will": "the will of a client that is gone, retained",
    "will delay": "the will's delay",
    "session": "a session is resumed with what came meanwhile",
}
_NO_WILDCARD, _MANY = "retained, by `+`", "2,000 rooms at QoS 1"
_AVOID: Final = {
    _NO_WILDCARD: "subscribing to `rooms/+/state`: nothing retained comes; subscribe to each room",
    _MANY: "subscribing to more than 1,000 rooms with QoS 1; use QoS 0",
    "session": "sessions that are to outlive the connection",
    "2 MiB": "buildings whose index is larger than it takes",
    "comes back": "relying on it after a crash",
}
_EXPIRY: Final = "MQTT 3.1.1 has no expiry: panels have to look at `valid_until`"


@dataclass(frozen=True, slots=True)
class Tried:
    """A broker, and what came of each version of MQTT; `missing` is the reason why it was not tried."""

    name: str
    source: str
    version: str
    records: Mapping[Protocol, Record]
    missing: str | None = None


def tables(tried: Sequence[Tried]) -> str:
    """Both tables, as Markdown."""
    lines = ["| broker | version | MQTT 5 | MQTT 3.1.1 | what to avoid |", "|---|---|---|---|---|"]
    lines += [_line(broker) for broker in tried]
    here = [
        (broker, protocol)
        for broker in tried
        for protocol in PROTOCOLS
        if protocol in broker.records and broker.records[protocol].refused is None
    ]
    heads = [f"{broker.name}, {protocol}" for broker, protocol in here]
    lines += ["", f"| what was tried | {' | '.join(heads)} |", "|---|" + "---|" * len(here)]
    for trial, words in WORDS.items():
        cells = [_word(broker.records[protocol].passed.get(trial)) for broker, protocol in here]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def written(page: str, tried: Sequence[Tried]) -> str:
    """The page with the tables in their place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(tried)}\n\n{END}{after}"


def _line(broker: Tried) -> str:
    if broker.missing is not None:
        return f"| {broker.name} | - | not tried | not tried | {broker.missing} |"
    states = [_state(broker.records.get(protocol)) for protocol in PROTOCOLS]
    avoid: list[str] = []
    for protocol in PROTOCOLS:
        record = broker.records.get(protocol)
        if record is None:
            continue
        if record.refused is not None:
            avoid.append(f"MQTT {protocol}: {_refused(record.refused)}")
        failed = [trial for trial in _AVOID if record.passed.get(trial) is False]
        if failed[:1] == [_NO_WILDCARD]:  # which is why many rooms do not come either
            failed = [trial for trial in failed if trial != _MANY]
        avoid += [_AVOID[trial] for trial in failed]
    if broker.records["5"].refused is not None:
        avoid.append(_EXPIRY)
    text = "; ".join(dict.fromkeys(avoid)) or "-"
    return f"| {broker.name} | {broker.version} ({broker.source}) | {states[0]} | {states[1]} | {text} |"


def _state(record: Record | None) -> str:
    if record is None or record.refused is not None:
        return "no"
    failed = [trial for trial, passed in record.passed.items() if passed is False]
    return "works" if not failed else "works, but see below"


def _refused(problem: str) -> str:
    return "it ends the connection at CONNECT" if "ends the connection" in problem else "it refuses it"


def _word(passed: bool | None) -> str:  # noqa: FBT001 - a cell of a table
    return {True: "yes", False: "**no**", None: "-"}[passed]
