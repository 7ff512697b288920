"""The JSON resources below /api/v1, the metrics and the readiness of the status endpoint."""
