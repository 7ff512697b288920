"""Tries every link of a connection, from its files to the claims of its token, and looks at calendars."""

from placed_microsoft365.examination.chain import Examination

__all__ = ["Examination"]
