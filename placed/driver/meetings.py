"""What drivers make of events alike: short keys, and one meeting of two reports of it."""

from __future__ import annotations

from msgspec.structs import replace
from xxhash import xxh3_64_hexdigest

from placed.domain.model import Meeting, ShowAs

_LEAST_OCCUPYING = (
    ShowAs.FREE,
    ShowAs.WORKING_ELSEWHERE,
    ShowAs.TENTATIVE,
    ShowAs.OOF,
    ShowAs.BUSY,
    ShowAs.UNRECOGNISED,
)


def short_key(event_id: str) -> str:
    """Returns a short key for an id of up to 150 characters, because a room has many of them.

    Up to 15 characters take 64 bytes of memory, and 16 take 80.
    """
    return xxh3_64_hexdigest(event_id.encode())[1:]


def title_without_name(title: str | None, organizer: str | None) -> str | None:
    """Returns a title without the organizer's name; None if nothing is left.

    There are services that delete the title of a meeting that a room accepts, and write the organizer's name
    in its place. A name is not a title, and a reader of titles must not get names that way.
    """
    if not title:
        return None
    text = title.strip()
    name = (organizer or "").strip()
    if name and (text == name or text.startswith(f"{name} ")):
        text = text.removeprefix(name).strip()
    return text or None


def more_occupying(one: Meeting, other: Meeting) -> Meeting:
    """Returns, of two reports of a meeting, the one that occupies the room; private if either is.

    It keeps the key of the first.
    """
    kept = max(one, other, key=_weight)
    return replace(kept, key=one.key, private=one.private or other.private)


def _weight(meeting: Meeting) -> tuple[bool, int]:
    return not (meeting.cancelled or meeting.declined), _LEAST_OCCUPYING.index(meeting.show_as)
