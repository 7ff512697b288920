"""Room calendars: calendar views are read in batches, and events become meetings."""
