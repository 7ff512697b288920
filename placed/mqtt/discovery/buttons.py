"""The buttons of a room in Home Assistant: what each sends at a press. Pure.

Home Assistant evaluates a command template at each press, with the states that it shows then. Its variables
are those of https://www.home-assistant.io/integrations/mqtt/#using-command-templates. All templates are
constants.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from placed.domain.action import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.domain.command_sink import Offer

CURRENT_START = "current_start"
CURRENT_END = "current_end"
CHECK_IN_MEETING = "check_in_meeting"

# The attributes of the status from which the buttons take the meeting. What is missing is null.
MEETING_ATTRIBUTES = (
    "{"
    f"'{CURRENT_START}': (value_json.current or {{'start': None}}).start, "
    f"'{CURRENT_END}': (value_json.current or {{'end': None}}).end, "
    f"'{CHECK_IN_MEETING}': {{'open': (value_json.check_in or {{'meeting': None}}).meeting}}"
    ".get((value_json.check_in or {'state': None}).state)"
    "} | tojson"
)

# Templates have no function for a UUID. A key has to be unique, and need not be secret.
_KEY = (
    "{{ '%04x%04x-%04x-4%03x-8%03x-%04x%04x%04x' | format(range(65536) | random, range(65536) | random,"
    " range(65536) | random, range(4096) | random, range(4096) | random, range(65536) | random,"
    " range(65536) | random, range(65536) | random) }}"
)
_FORMAT = "'%Y-%m-%dT%H:%M:%SZ'"
_MINUTE = "'%Y-%m-%dT%H:%M:00Z'"  # the minute that runs counts as a whole one, as at panels
_NOW = f"{{{{ utcnow().strftime({_FORMAT}) }}}}"


class Button(NamedTuple):
    """One button.

    Attributes:
        name: for people.
        action: what it asks for.
        meeting: JSON, which a template makes.
        until: the same.
        length: of the booking that it makes at most; zero if it makes none.
    """

    name: str
    action: Action
    meeting: str
    until: str
    length: timedelta = timedelta(0)

    @property
    def template(self) -> str:
        """The command template."""
        return f'{{"key": "{_KEY}", "issued_at": "{_NOW}", "meeting": {self.meeting}, "until": {self.until}}}'


def _shown(attribute: str) -> str:
    """Returns an expression for an attribute of the status.

    People rename entities, so it is looked for in the button's device. If there is none, or the room is
    unavailable, the result is no time, so that what is sent is no command.
    """
    return (
        f"(expand(device_entities(device_id(entity_id))) | map(attribute='attributes.{attribute}')"
        " | select('string') | first | default('none'))"
    )


def _meeting(attribute: str) -> str:
    return f'"{{{{ {_shown(attribute)} }}}}"'


def _book(minutes: int) -> Button:
    until = f'"{{{{ (utcnow() + timedelta(minutes={minutes})).strftime({_MINUTE}) }}}}"'
    return Button(f"Book {minutes} minutes", Action.BOOK, "null", until, timedelta(minutes=minutes))


def _extend(minutes: int) -> Button:
    end = f"as_timestamp({_shown(CURRENT_END)}, 0)"
    until = f'"{{{{ ({end} + {minutes * 60}) | timestamp_custom({_FORMAT}, false) }}}}"'
    name, length = f"Extend by {minutes} minutes", timedelta(minutes=minutes)
    return Button(name, Action.EXTEND, _meeting(CURRENT_START), until, length)


# By the names in `placed.mqtt.topics.BUTTON_ENTITIES`.
BUTTONS = {
    "check_in": Button("Check in", Action.CHECK_IN, _meeting(CHECK_IN_MEETING), "null"),
    "end": Button("End the meeting", Action.END, _meeting(CURRENT_START), "null"),
    "extend_15": _extend(15),
    "book_15": _book(15),
    "book_30": _book(30),
    "book_60": _book(60),
}


def offered(offer: Offer | None) -> Iterator[str]:
    """Yields the names of the buttons that an offer allows."""
    if offer is not None:
        for name, button in BUTTONS.items():
            if button.action in offer.actions and button.length <= offer.longest:
                yield name


def names_a_meeting(offer: Offer | None) -> bool:
    """Returns whether a button of the offer needs the attributes of the status."""
    return any(BUTTONS[name].action is not Action.BOOK for name in offered(offer))
