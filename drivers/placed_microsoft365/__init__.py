"""The Microsoft 365 driver of placed."""
