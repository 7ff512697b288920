"""The doctor's checks of a connection: files, hosts, the token's claims, and calendar processing."""

from placed_microsoft365.diagnosis.check_sequence import Examination

__all__ = ["Examination"]
