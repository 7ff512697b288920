"""The demonstration's building in a Workspace, and the settings that lead a daemon to it."""
