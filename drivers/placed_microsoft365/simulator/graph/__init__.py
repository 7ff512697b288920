"""The simulated Microsoft Graph: one module for each endpoint."""
