"""Home Assistant's MQTT discovery: rooms as devices, and when they are announced."""
