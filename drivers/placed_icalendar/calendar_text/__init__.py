"""Calendar text (RFC 5545): from bytes to the few properties that decide when a room is occupied."""
