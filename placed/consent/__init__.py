"""The administrator's consent: the page's redirect to this machine, and waiting for the grant."""
