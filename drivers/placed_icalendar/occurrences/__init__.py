"""Occurrences: which meetings a calendar's text contains, calculated within a budget of time and memory."""
