"""Shared by sign-in and Graph: TLS trust, the proxy, and the services' clock."""
