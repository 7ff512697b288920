"""Room calendars in, truthful room occupancy out. Knows rooms and meetings; knows no vendor."""
