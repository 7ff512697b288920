"""The simulated Google Calendar API: lists of events, field masks, batches, quotas."""
