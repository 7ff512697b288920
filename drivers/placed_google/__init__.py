"""The Google Workspace driver of placed: reads room calendars as a service account, without delegation."""

from placed_google.driver import Google

__all__ = ["Google"]
