"""The journal: what is remembered across restarts, in SQLite in the state directory.

The epoch, the ids that rooms were given, the rooms and what was last read of them, consent and fence. Nothing
in it is needed: where it can not be kept placed goes on without, and the services tell everything again.
"""

from placed.store.state_directory import state_directory
from placed.store.store import Journal, Memory, next_epoch
from placed.store.writer import StoreWriter

__all__ = ["Journal", "Memory", "StoreWriter", "next_epoch", "state_directory"]
