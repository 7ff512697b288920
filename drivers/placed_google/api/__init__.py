"""Google's APIs over HTTP: hosts, clients, answers and their errors."""
