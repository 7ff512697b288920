"""Faults of the simulated services, and what they make of a reply."""
