"""The simulated Directory API: rooms and buildings."""
