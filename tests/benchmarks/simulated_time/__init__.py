"""Days and minutes that pass as fast as they can be worked through: no real time, and no network."""
