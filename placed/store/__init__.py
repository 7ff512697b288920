"""The journal: keeps state across restarts, in SQLite in the state directory.

It holds the epoch, the rooms' ids, the rooms with their last readings, consent, fence, commands and
check-ins. None of it is required: if it cannot be kept, placed goes on without it, and the services report
everything again.
"""

from placed.store.periodic_writer import PeriodicWriter
from placed.store.persistent_state import Journal, Memory, next_epoch
from placed.store.state_directory import state_directory

__all__ = ["Journal", "Memory", "PeriodicWriter", "next_epoch", "state_directory"]
