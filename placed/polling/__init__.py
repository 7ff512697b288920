"""Reads the calendars of one connection in time, and watches its fence, its credential and its rooms.

`fixed_interval` and `adaptive` decide which room is read when: all of them once a round, or each by its need
within a budget.
"""
