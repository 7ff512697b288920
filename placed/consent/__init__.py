"""The administrator's consent: the redirect of the consent page, and waiting for the grant."""
