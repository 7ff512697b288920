"""A simulated Google Workspace: token host, Calendar API and Directory over TLS on loopback.

workspace = Workspace(domain="fabrikam.example")
room = workspace.add_room("Boardroom", capacity=12)
account = workspace.add_service_account()
workspace.share(room, account, Role.READER)
async with Simulator(workspace) as simulator:
    key_file = simulator.make_key(account)  # JSON; its token_uri leads here
    ...  # a client that trusts simulator.ca_file asks simulator.url
"""

from placed_google.simulator.faults.simulated_fault import BAD_EVENTS, WRONG_TYPES, Fault, Kind, Where
from placed_google.simulator.faults.workspace_faults import Faults
from placed_google.simulator.scenario.daemon_access import settings_toml
from placed_google.simulator.scenario.workspace_building import build, building_of, life
from placed_google.simulator.server import Simulator
from placed_google.simulator.workspace.calendar_model import Calendar
from placed_google.simulator.workspace.calendar_model import Kind as CalendarKind
from placed_google.simulator.workspace.calendar_sharing import AclRule, Role
from placed_google.simulator.workspace.cloud_accounts import ServiceAccount, make_private_key
from placed_google.simulator.workspace.event_model import Attendee, Event
from placed_google.simulator.workspace.organisation import Group, Person, SimRoom
from placed_google.simulator.workspace.request_quota import Limits
from placed_google.simulator.workspace.tenant_answers import TenantAnswers
from placed_google.simulator.workspace.workload_identity import WorkloadIdentity
from placed_google.simulator.workspace.workspace import Workspace
from placed_simulator.http_messages import ItemRecord, RequestRecord

__all__ = [
    "BAD_EVENTS",
    "WRONG_TYPES",
    "AclRule",
    "Attendee",
    "Calendar",
    "CalendarKind",
    "Event",
    "Fault",
    "Faults",
    "Group",
    "ItemRecord",
    "Kind",
    "Limits",
    "Person",
    "RequestRecord",
    "Role",
    "ServiceAccount",
    "SimRoom",
    "Simulator",
    "TenantAnswers",
    "Where",
    "WorkloadIdentity",
    "Workspace",
    "build",
    "building_of",
    "life",
    "make_private_key",
    "settings_toml",
]
