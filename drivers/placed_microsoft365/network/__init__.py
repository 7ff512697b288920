"""What sign-in and Graph share: TLS trust, the proxy, and the services' clock."""
