"""Signing in as a service account: with a key, or without one by workload identity federation."""
