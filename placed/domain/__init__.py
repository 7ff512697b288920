"""The rules and values of room occupancy. Pure: no sockets, no clocks of the machine, no vendor."""
