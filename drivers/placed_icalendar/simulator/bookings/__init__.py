"""Stored bookings of rooms and people, and their text as iCalendar (RFC 5545)."""
