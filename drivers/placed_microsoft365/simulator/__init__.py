"""A simulated Microsoft 365 tenant: login, Graph and Exchange policy over TLS on loopback.

tenant = Tenant(domain="contoso.example")
room = tenant.add_room("boardroom", name="Boardroom")
app = tenant.register_app(secrets=["s3cret"], roles={"Calendars.Read"})
async with Simulator(tenant) as simulator:
    ...  # a client that trusts simulator.ca_file asks simulator.url
"""

from placed_microsoft365.simulator.client_certificate import make_client_certificate
from placed_microsoft365.simulator.connection_settings import (
    ConnectionSettings,
    actions_toml,
    fence_toml,
)
from placed_microsoft365.simulator.faults.fault import Fault, Kind, Where
from placed_microsoft365.simulator.faults.fault_switches import Faults
from placed_microsoft365.simulator.graph.throttling import Limits
from placed_microsoft365.simulator.scenario.building_loader import build, building_of
from placed_microsoft365.simulator.scenario.random_calendar_changes import life
from placed_microsoft365.simulator.server import Simulator
from placed_microsoft365.simulator.tenant.app_access import App
from placed_microsoft365.simulator.tenant.app_credentials import Secret
from placed_microsoft365.simulator.tenant.event_writes import Message, Undocumented
from placed_microsoft365.simulator.tenant.groups import Group
from placed_microsoft365.simulator.tenant.mailboxes import (
    UNTOUCHED,
    CalendarProcessing,
    Mailbox,
    MailboxState,
    Meeting,
    SimRoom,
)
from placed_microsoft365.simulator.tenant.tenant import ConsentAnswer, Tenant
from placed_simulator.building_file import Scenario, load_scenario
from placed_simulator.http_messages import ItemRecord, RequestRecord

__all__ = [
    "UNTOUCHED",
    "App",
    "CalendarProcessing",
    "ConnectionSettings",
    "ConsentAnswer",
    "Fault",
    "Faults",
    "Group",
    "ItemRecord",
    "Kind",
    "Limits",
    "Mailbox",
    "MailboxState",
    "Meeting",
    "Message",
    "RequestRecord",
    "Scenario",
    "Secret",
    "SimRoom",
    "Simulator",
    "Tenant",
    "Undocumented",
    "Where",
    "actions_toml",
    "build",
    "building_of",
    "fence_toml",
    "life",
    "load_scenario",
    "make_client_certificate",
]
