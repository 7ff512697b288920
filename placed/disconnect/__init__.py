"""Removes a connection: its topics at the broker and its records on this machine."""
