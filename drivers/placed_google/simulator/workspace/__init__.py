"""The simulated Google Workspace: its directory, calendars and their sharing, projects and accounts."""
