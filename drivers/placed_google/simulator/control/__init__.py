"""A small HTTP interface with which another process, or a person with curl, plays the administrator.

    GET    /_control/rooms                     all rooms, with their events
    POST   /_control/rooms                     {"room","address","building","floor","capacity","zone",
                                               "auto_accept"}
    DELETE /_control/rooms/{room}
    POST   /_control/rooms/{room}/approval     {"auto_accept": false}
    GET    /_control/people
    POST   /_control/people                    {"person","name","administrator"}
    POST   /_control/people/{person}/suspend
    GET    /_control/groups
    POST   /_control/groups                    {"group","members":[…]}, in place of the members before
    POST   /_control/events                    {"room","start","end","summary","organizer","all_day",…},
                                               answers {"id"}; a hold with {"hold": true}, and a series with
                                               {"frequency","count"}
    POST   /_control/events/{id}/move          {"start","end","all_day"}
    POST   /_control/events/{id}/cancel        also /accept, /decline, /release
    DELETE /_control/events/{id}
    GET    /_control/calendars/{room}/rules    with whom a calendar is shared
    POST   /_control/calendars/{room}/rules    {"role","with","scope"}; the room may be `*` for all rooms
    DELETE /_control/calendars/{room}/rules/{with}
    GET    /_control/external-sharing          the limit for outsiders
    POST   /_control/external-sharing          {"role","kinds":["primary","secondary"]}
    GET    /_control/accounts                  service accounts, without their keys
    POST   /_control/accounts                  {"name","project"}
    DELETE /_control/accounts/{email}
    POST   /_control/accounts/{email}/keys     {}, answers the JSON file; DELETE …/keys/{id}
    POST   /_control/accounts/{email}/delegation   {"scopes":[…]}, DELETE takes all back
    POST   /_control/accounts/{email}/directory-role   the role for buildings and resources; also DELETE
    POST   /_control/accounts/{email}/disable  also /enable, /expire-tokens
    POST   /_control/accounts/{email}/workload-identity    {"subject_token"}, answers the audience
    GET    /_control/projects
    POST   /_control/projects/{id}/apis        {"api","enabled"}
    GET    /_control/quota                     POST {"per_user_minute",…} to set a limit
    GET    /_control/answers                   what only a real tenant could settle; POST to set one
    POST   /_control/clock                     {"ahead":"10m"}: the services' clock
    GET    /_control/faults                    POST a fault to switch it on, DELETE to switch all off
    GET    /_control/requests                  what was asked so far, DELETE to forget it

Times are `now`, `+5m`, `-1h30m`, or ISO 8601 with an offset; of an all-day event dates. A fault has the
fields of `placed_google.simulator.faults.simulated_fault.Fault`. An error is `{"error":"…"}` with 400 or 404.
"""

from placed_google.simulator.control.administrator_console import control_of

__all__ = ["control_of"]
