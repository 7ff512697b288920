"""What a truthful panel shows: the rules, and a follower that applies them to MQTT messages."""
