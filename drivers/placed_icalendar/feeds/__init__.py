"""Feeds: calendars as files behind an address, which is their secret."""
