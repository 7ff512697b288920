"""The manual pages, written from what the program itself says of its commands and settings."""
