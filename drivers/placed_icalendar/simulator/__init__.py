"""Simulated calendar servers: stored bookings, and hosts that serve them over TLS on loopback."""
