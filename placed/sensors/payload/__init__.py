"""What a message of a presence sensor states: expressions, words and numbers to a reading. Pure."""
