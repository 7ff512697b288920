"""The Microsoft 365 driver of placed: reads room calendars with Microsoft Graph, app-only."""

from placed_microsoft365.driver import Microsoft365

__all__ = ["Microsoft365"]
