"""HTTP for drivers: sessions with limits, TLS trust, the proxy, and the time in the services' answers."""
