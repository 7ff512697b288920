"""The simulated hosts that give tokens: assertions of keys, workload identities, access tokens."""
