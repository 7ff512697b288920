"""Presence sensors: which messages come from which sensor of which room, and how they reach the board."""
