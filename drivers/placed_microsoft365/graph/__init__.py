"""Microsoft Graph over HTTP: the client, batches, responses and their errors."""
