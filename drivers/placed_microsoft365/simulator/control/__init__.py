"""A small HTTP interface with which another process, or a person with curl, plays the tenant.

    GET    /_control/rooms                     all rooms, with their meetings
    POST   /_control/rooms                     {"room","name","building","floor","capacity","groups":[…]}
    DELETE /_control/rooms/{room}
    GET    /_control/people
    POST   /_control/people                    {"person","name"}
    DELETE /_control/people/{person}
    POST   /_control/meetings                  {"room","start","end","subject","show_as",…}, answers {"id"}
    POST   /_control/meetings/{id}/move        {"start","end"}
    POST   /_control/meetings/{id}/cancel      also /decline, /accept
    POST   /_control/meetings/{id}/organizer-update    the organizer saves the meeting again, as he has it
    DELETE /_control/meetings/{id}
    GET    /_control/groups
    POST   /_control/groups                    {"group","members":[…],"room_list":false}
    DELETE /_control/groups/{group}
    POST   /_control/groups/{group}/members    {"member","delay"}
    DELETE /_control/groups/{group}/members/{member}     {"delay"}
    GET    /_control/faults                    POST a fault to switch it on, DELETE to switch all off
    GET    /_control/requests                  what was asked so far, DELETE to forget it
    GET    /_control/undocumented              what the service does to changes of applications where its
                                               documentation is silent
    POST   /_control/undocumented              {"attendee_patch","attendee_delete","known_transaction",
                                               "visible_after"}, see `tenant.event_writes.Undocumented`
    GET    /_control/messages                  what organizers were sent because of changes, DELETE to forget
    GET    /_control/consent-answer            what happens at the consent page
    POST   /_control/consent-answer            {"answer","delay"}; the answer is `granted`, `declined`,
                                               `not-an-administrator` or `wrong-state`

    GET    /_control/apps                      what is registered
    POST   /_control/apps                      {"name","client_id","requested":[…],"certificates":[PEM…],
                                               "secrets":[…],"redirect_uris":[…]}
    GET    /_control/apps/{client_id}
    DELETE /_control/apps/{client_id}
    POST   /_control/apps/{client_id}/certificates       {"pem"}, beside those that are there
    DELETE /_control/apps/{client_id}/certificates/{thumbprint}
    POST   /_control/apps/{client_id}/manifest           {"requiredResourceAccess":[…]}, as in Entra
    POST   /_control/apps/{client_id}/disable            also /enable
    POST   /_control/apps/{client_id}/expire-secrets     also /expire-tokens
    POST   /_control/apps/{client_id}/consent            {"delay"}, to all that is requested
    POST   /_control/apps/{client_id}/grant              {"roles":[…],"delay"}, also /revoke
    GET    /_control/apps/{client_id}/access-policies    of Exchange
    POST   /_control/apps/{client_id}/access-policies    {"right","group","delay"}; the right is
                                                         `RestrictAccess` or `DenyAccess`
    DELETE /_control/apps/{client_id}/access-policies    lifts all
    GET    /_control/apps/{client_id}/role-assignments   of RBAC for Applications
    POST   /_control/apps/{client_id}/role-assignments   {"group","role","delay"}; the role is `Application
                                                         Calendars.Read` or `Application Calendars.ReadWrite`
    DELETE /_control/apps/{client_id}/role-assignments   removes all

Times are `now`, `+5m`, `-1h30m`, or ISO 8601 with an offset; of an all-day meeting dates. A delay is `90m` or
`2h`, and what it is of is in effect at once without. A fault has the fields of
`placed_microsoft365.simulator.faults.fault_switches.Fault`. An error is `{"error":"…"}` with 400 or 404.
There is no access control: the server listens on loopback only, and there is nothing to protect.
"""

from placed_microsoft365.simulator.control.service import control_of

__all__ = ["control_of"]
