"""Tries every link of a connection, from its files to the claims of its token, and looks at calendars."""

from placed_microsoft365.diagnosis.check_sequence import Examination

__all__ = ["Examination"]
