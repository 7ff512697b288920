"""The way out over MQTT: what the board says, on the topics that panels and building systems subscribe to."""
