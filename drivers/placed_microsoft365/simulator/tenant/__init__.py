"""The simulated tenant: directory, mailboxes, app registrations and their access."""
