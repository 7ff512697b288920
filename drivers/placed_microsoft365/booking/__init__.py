"""Changing bookings, with a registration of its own; imported only where a connection has `actions`."""
