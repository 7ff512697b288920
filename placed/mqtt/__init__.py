"""Publishes statements over MQTT, on the topics that panels and building systems subscribe to."""
