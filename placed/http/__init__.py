"""The local status endpoint: rooms, events, health and metrics over HTTP."""
