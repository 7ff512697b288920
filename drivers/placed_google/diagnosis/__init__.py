"""The doctor's checks of a connection: the key, the hosts, the token, the API, and the rooms' calendars."""

from placed_google.diagnosis.check_sequence import Examination

__all__ = ["Examination"]
