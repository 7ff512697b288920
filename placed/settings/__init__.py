"""The settings: their schema, where they are read from, and the messages for what is wrong in them."""
