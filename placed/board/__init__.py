"""The latest statement of every room, computed again at its edges, and the listeners that are notified."""
