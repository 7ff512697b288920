"""What is not documented and only a real tenant could settle: each answer is a switch.

The defaults are what is expected. A client has to work with the other answers, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(slots=True, kw_only=True)
class TenantAnswers:
    """The answers of this tenant.

    Attributes:
        rooms_follow_limit_of: which limit of external sharing governs the calendars of rooms.
        group_members_pass_the_limit: an outsider in a group of the organisation is not limited.
        max_attendees_keeps_the_room: with `maxAttendees=1` the room is the attendee that stays; otherwise
            none does, since the caller takes part in nothing.
        access_role_is_masked: an answer with a `fields` mask lacks `accessRole` although it is asked for.
        free_busy_scope_strips: with the scope `calendar.events.freebusy` alone events lack what free/busy
            lacks; otherwise they are those of the caller's role.
        outsiders_see_internal_free_busy: a calendar whose free/busy the organisation may see answers a
            service account, too; otherwise with 404.
        content_ids_get_a_prefix: parts of a batch come back as `response-…`; otherwise as they were sent.
        customer_id_works_for_roles: a service account with an administrator's role may name the customer
            by its id; otherwise it gets 404.
        readers_see_private_details: a `reader` sees the details of private events, as was once reported.
        copies_have_times_of_their_own: who may write to a room's calendar may change start and end of the
            room's copy of somebody else's event; otherwise 403 `forbiddenForNonOrganizer`.
        daily_limit_counts_parts: each part of a batch counts for the limit of a day, not the batch.
        visible_after: how long a change that an application made takes to show in lists and free/busy.
    """

    rooms_follow_limit_of: Literal["primary", "secondary"] = "secondary"
    group_members_pass_the_limit: bool = False
    max_attendees_keeps_the_room: bool = True
    access_role_is_masked: bool = False
    free_busy_scope_strips: bool = True
    outsiders_see_internal_free_busy: bool = False
    content_ids_get_a_prefix: bool = True
    customer_id_works_for_roles: bool = True
    readers_see_private_details: bool = False
    copies_have_times_of_their_own: bool = False
    daily_limit_counts_parts: bool = True
    visible_after: timedelta = timedelta(0)
