"""Clients of a broker, one for each version of MQTT, behind one interface."""
