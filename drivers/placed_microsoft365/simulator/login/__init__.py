"""The simulated login host: token endpoint, consent page, access tokens."""
