"""A simulated CalDAV server over TLS on loopback, for the faults that real servers do not show on demand.

store = BookingStore()
store.add_room("boardroom")
async with CalDavHost(store) as host:
    host.account.share("boardroom")
    ...  # a client that trusts host.ca_file asks host.home_url
"""

from placed_icalendar.simulator.bookings.booking_store import BookingStore, StoredBooking
from placed_icalendar.simulator.caldav_host.dav_account import DavAccount
from placed_icalendar.simulator.caldav_host.dav_faults import DavFault, DavFaults, Kind, Where
from placed_icalendar.simulator.caldav_host.dav_server import CalDavHost

__all__ = [
    "BookingStore",
    "CalDavHost",
    "DavAccount",
    "DavFault",
    "DavFaults",
    "Kind",
    "StoredBooking",
    "Where",
]
