"""A simulated host of feeds over TLS on loopback.

publisher = Publisher()
publisher.add_room("boardroom")
publisher.book("boardroom", start, end)
async with FeedHost(publisher) as host:
    ...  # a client that trusts host.ca_file asks host.link_of("boardroom")
"""

from placed_icalendar.simulator.feed_host.feed_faults import Fault, Kind
from placed_icalendar.simulator.feed_host.feed_server import FeedHost
from placed_icalendar.simulator.feed_host.moved_text import moved
from placed_icalendar.simulator.feed_host.published_room import PublishedRoom, Service
from placed_icalendar.simulator.feed_host.publisher import Publisher

__all__ = [
    "Fault",
    "FeedHost",
    "Kind",
    "PublishedRoom",
    "Publisher",
    "Service",
    "moved",
]
