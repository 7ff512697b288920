"""Room calendars: events are read in batches and become meetings; free/busy shows which calendars changed."""
