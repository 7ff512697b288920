"""CalDAV (RFC 4791): the calendars of a home are rooms; tags show which changed, and those are read."""
