"""The latest occupancy of every room, turned at its edges by timer, and the listeners that publish it."""
