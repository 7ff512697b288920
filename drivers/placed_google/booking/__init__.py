"""Changing bookings, as a service account of its own; imported only where a connection has `actions`."""
