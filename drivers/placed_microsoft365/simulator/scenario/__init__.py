"""A building from a TOML file, and meetings that change while time passes."""
