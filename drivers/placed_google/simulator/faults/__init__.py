"""Faults of the simulated Google hosts, and what they make of a reply."""
