"""The manual pages, generated from the help of the commands and the descriptions of the settings."""
