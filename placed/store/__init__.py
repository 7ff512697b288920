"""The journal: keeps state across restarts, in SQLite in the state directory.

It holds the epoch, the rooms' ids, the rooms with their last readings, consent, fence, commands and
check-ins. None of it is required: if it cannot be kept, placed goes on without it, and the services report
everything again.
"""

from placed.store.persistent_state import Journal, Memory, next_epoch
from placed.store.state_directory import state_directory
from placed.store.writer import StoreWriter

__all__ = ["Journal", "Memory", "StoreWriter", "next_epoch", "state_directory"]
