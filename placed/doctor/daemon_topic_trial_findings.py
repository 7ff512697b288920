"""Makes the doctor's findings from the trial of the daemon's topics. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.doctor.daemon_topic_trial import TopicTrialResult
    from placed.doctor.daemon_topic_trial_messages import TrialMessage
    from placed.mqtt.topics import Topics

_FEW = 3  # topics that are named
_PACKET_TOO_LARGE, _QUOTA_EXCEEDED = 0x95, 0x97  # MQTT 5, table 2-6


def judge_topics(outcome: TopicTrialResult, topics: Topics, so_far: str) -> list[Finding]:
    """Returns the findings `publish`, at least one; `so_far` is the text of the good finding so far."""
    found = []
    if outcome.too_large:
        limit = "the broker announces a limit on packets, and drops what is larger"
        found.append(
            _bad(f"{limit}: {_sizes(outcome.too_large)}", _raise(outcome.too_large, "max_packet_size"))
        )
    if outcome.ended:
        remedy = _raise(outcome.ended, "message_size_limit, max_packet_size")
        remedy += f"; and have its access rules let this login write {_patterns(topics, outcome.ended)}"
        found.append(_bad(f"the broker ends the connection at {_sizes(outcome.ended)}", remedy))
    if outcome.untried:
        rest = f"{outcome.untried:,} topics were not tried, since the broker ended too many connections"
        found.append(_bad(rest, "let the broker take the others first, then run placed doctor again"))
    for (code, words), refused in outcome.refused.items():
        named = _sizes(refused) if code == _PACKET_TOO_LARGE else _topics(topics, refused)
        text = f"the broker refuses what is published on {named}: {words} (0x{code:02x})"
        found.append(_bad(text, _remedy(code, topics, refused)))
    if outcome.lost:
        found.append(_lost(outcome, topics))
    if found:
        return found
    kept = f", {outcome.working:,} of them kept from the running daemon" if outcome.working else ""
    number = len(outcome.tried) + outcome.working
    text = f"{so_far}; all {number:,} topics of the daemon{kept}, with up to {outcome.largest:,} bytes"
    return [Finding.of("publish", Verdict.GOOD, text)]


def _lost(outcome: TopicTrialResult, topics: Topics) -> Finding:
    """Returns the finding for lost messages: MQTT 3.1.1 does not report if access or size is the cause."""
    access = f"have the broker's access rules let this login write and read {_patterns(topics, outcome.lost)}"
    if outcome.largest_back < min(message.size for message in outcome.lost):
        text = f"{_sizes(outcome.lost)} did not come back, and only smaller messages did"
        return _bad(text, f"{_raise(outcome.lost, 'message_size_limit')}, or {access}")
    text = f"{_topics(topics, outcome.lost)} did not come back: it may not be written there, or not be read"
    return _bad(text, access)


def _bad(text: str, remedy: str) -> Finding:
    return Finding.of("publish", Verdict.BAD, text, remedy)


def _remedy(code: int, topics: Topics, refused: Sequence[TrialMessage]) -> str:
    if code == _PACKET_TOO_LARGE:
        return _raise(refused, "message_size_limit, max_packet_size")
    if code == _QUOTA_EXCEEDED:
        return "raise the broker's quota for this login (max_queued_messages in mosquitto)"
    return f"have the broker's access rules let this login write {_patterns(topics, refused)}"


def _raise(messages: Sequence[TrialMessage], settings: str) -> str:
    most = max(message.size for message in messages)
    wanted = f"to at least {most:,} bytes ({settings} in mosquitto)"
    return f"raise the broker's limit on the size of messages {wanted}"


def _by_pattern(topics: Topics, messages: Sequence[TrialMessage]) -> dict[str, list[str]]:
    """Returns the topics by the pattern that access rules use for all of their kind."""
    kinds: dict[str, list[str]] = {}
    for topic in sorted(message.topic for message in messages):
        kinds.setdefault(topics.pattern_of(topic), []).append(topic)
    return kinds


def _patterns(topics: Topics, messages: Sequence[TrialMessage]) -> str:
    """Returns patterns for access rules; single topics if they are few."""
    if len(messages) <= _FEW:
        return " ".join(sorted(message.topic for message in messages))
    kinds = _by_pattern(topics, messages).items()
    return " ".join(named[0] if len(named) == 1 else pattern for pattern, named in kinds)


def _topics(topics: Topics, messages: Sequence[TrialMessage]) -> str:
    """Returns one topic of each kind; all topics if they are few."""
    some = [named[0] for named in _by_pattern(topics, messages).values()]
    if len(messages) <= _FEW:
        some = sorted(message.topic for message in messages)
    more = len(messages) - len(some)
    return f"{', '.join(some)}{f' and {more:,} more' if more else ''}"


def _sizes(messages: Sequence[TrialMessage]) -> str:
    """Returns `placed/rooms (1,234 bytes), …`, the largest first."""
    ordered = sorted(messages, key=lambda message: (-message.size, message.topic))
    more = f" and {len(ordered) - _FEW:,} more" if len(ordered) > _FEW else ""
    return ", ".join(f"{m.topic} ({m.size:,} bytes)" for m in ordered[:_FEW]) + more
