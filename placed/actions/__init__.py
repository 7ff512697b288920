"""Carries out what panels ask for: check-in, ending, extending and booking, each command once."""
